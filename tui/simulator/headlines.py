"""Templates of invented news: direction of the price (-1, 0 or +1), headline and text."""

from typing import Final

Template = tuple[int, str, str]

PUBLISHERS: Final = (
    "Harbour Wire",
    "Meridian Markets",
    "The Ledger Post",
    "Northgate Financial",
    "Tape & Ticker",
    "Blue Quay News",
    "Coinward Daily",
    "Parapet Research",
    "Eastbourne Press",
    "Signal Street",
)

COMPANY: Final[tuple[Template, ...]] = (
    (
        1,
        "{name} lifts its full-year forecast on strong orders",
        "{name} raised its revenue forecast for the year by {percent}%, citing orders that ran ahead of plan. "
        "The company said demand had broadened beyond its largest customers.",
    ),
    (
        1,
        "{name} beats estimates and announces a ${number} billion buyback",
        "Earnings came in {percent}% above what analysts had expected. "
        "The board approved a further ${number} billion of share repurchases over two years.",
    ),
    (
        1,
        "{broker} raises {symbol} to buy, sees margins widening",
        "{broker} upgraded {name} from hold to buy and lifted its price target by {percent}%. "
        "Its analysts expect margins to widen through the second half.",
    ),
    (
        1,
        "{name} wins a multi-year contract worth ${number} billion",
        "{name} signed a contract of several years valued at about ${number} billion. "
        "Deliveries start next quarter, and the agreement holds options for more.",
    ),
    (
        1,
        "{name} and {rival} agree to share a key technology",
        "{name} and {rival} will license each other's patents under an agreement announced today. "
        "Both said that the deal ends a dispute of several years.",
    ),
    (
        1,
        "Activist fund discloses a {percent}% stake in {name}",
        "A well-known activist fund reported a stake of {percent}% in {name} and plans to seek seats on its board. "
        "It called the shares deeply undervalued.",
    ),
    (
        1,
        "{name} raises its dividend for another year",
        "{name} will pay {percent}% more a share from next quarter. "
        "It is the company's latest in a series of increases, and larger than expected.",
    ),
    (
        1,
        "Court throws out the antitrust case against {name}",
        "A federal judge dismissed the main claims of the case against {name}. "
        "The plaintiffs said they were considering an appeal.",
    ),
    (
        1,
        "{name} said to be close to buying a smaller competitor",
        "{name} is in advanced talks about an acquisition worth about ${number} billion, people close to it said. "
        "An announcement may come within days.",
    ),
    (
        1,
        "Strong pre-orders for {name}'s new product line, survey finds",
        "A survey of retailers points to pre-orders {percent}% above those of last year's launch. "
        "Shops in Europe reported waiting lists.",
    ),
    (
        1,
        "[Update] {name} confirms record quarter",
        "{name} confirmed preliminary figures that show the best quarter in its history. "
        "Revenue rose {percent}% from a year before, with every region growing.",
    ),
    (
        1,
        "{name} to cut costs by ${number} billion a year",
        "{name} set out a plan that saves ${number} billion a year from next year on. "
        "Most of it comes from offices and suppliers rather than from staff.",
    ),
    (
        -1,
        "{name} warns of a weaker quarter as demand softens",
        "{name} cut its forecast for the quarter by {percent}%, blaming softer demand abroad. "
        "It did not repeat its outlook for the year.",
    ),
    (
        -1,
        "{broker} cuts {symbol} to sell on stretched valuation",
        "{broker} downgraded {name} to sell and lowered its price target by {percent}%. "
        "It sees little room for disappointment at the current multiple.",
    ),
    (
        -1,
        "Regulators open an inquiry into {name}'s pricing",
        "Competition authorities asked {name} for documents on how it sets prices. "
        "The company said that it was cooperating and had done nothing wrong.",
    ),
    (
        -1,
        "{name} recalls products over a safety defect",
        "{name} is recalling about {count},000 units after reports of a defect. "
        "It expects the recall to cost less than ${number} billion.",
    ),
    (
        -1,
        "Finance chief of {name} to leave after a short tenure",
        "The chief financial officer of {name} will step down at the end of the month. "
        "An interim successor was named from inside the company; no reason was given.",
    ),
    (
        -1,
        "{name} loses a large customer to {rival}",
        "A customer that stood for about {percent}% of sales at {name} has signed with {rival}. "
        "The change takes effect at the end of the year.",
    ),
    (
        -1,
        "Outage hits {name} services in several countries",
        "Users in several countries could not reach services of {name} for more than an hour. "
        "The company said the cause was a faulty change and had been undone.",
    ),
    (
        -1,
        "{name} delays its flagship launch to next year",
        "{name} pushed back the launch of its most important product, citing tests that took longer than planned. "
        "Suppliers had been told earlier this week.",
    ),
    (
        -1,
        "Insiders at {name} sold shares worth ${count} million, filings show",
        "Three executives of {name} sold shares worth ${count} million over the past week. "
        "The sales were not part of plans arranged in advance.",
    ),
    (
        -1,
        "Union at {name} votes to strike",
        "Workers at {name} voted by a large majority to stop work from Monday. "
        "Talks broke off over pay; the two sides are {percent}% apart.",
    ),
    (
        -1,
        "Supply bottleneck to weigh on {name}, suppliers say",
        "Suppliers of {name} report shortages of parts that may last into next quarter. "
        "Deliveries could fall {percent}% short of plan.",
    ),
    (
        0,
        "{name} to present at an investor conference next week",
        "{name} will speak about its strategy at a conference on Tuesday. "
        "Investors hope for details on spending and margins.",
    ),
    (
        0,
        "What the options market expects of {symbol}",
        "Options on {name} imply a move of {percent}% in either direction over the next month. "
        "Traders have been buying both calls and puts.",
    ),
    (
        0,
        "{name} reshuffles the heads of two divisions",
        "{name} swapped the heads of two of its divisions with immediate effect. "
        "Analysts saw no change of strategy in the move.",
    ),
)

COIN: Final[tuple[Template, ...]] = (
    (
        1,
        "{name} funds take in ${count} million in a day",
        "Exchange-traded funds that hold {name} recorded inflows of ${count} million. "
        "It was their best day of the month.",
    ),
    (
        1,
        "Large holders add to {name} as exchange balances fall",
        "Balances of {name} on exchanges fell by {percent}% this week, on-chain data show. "
        "Wallets with large holdings account for most of the withdrawals.",
    ),
    (
        1,
        "{name} upgrade goes live without a hitch",
        "The long-awaited upgrade of the {name} network was activated this hour. "
        "Developers reported no problems, and fees fell by {percent}%.",
    ),
    (
        1,
        "Payments company adds {symbol} to its checkout",
        "A large payments company will let merchants accept {name} from next month. "
        "It said that {count},000 shops had signed up for the trial.",
    ),
    (
        1,
        "Short sellers of {symbol} squeezed as leverage unwinds",
        "Short positions in {name} worth ${count} million were liquidated within an hour. "
        "Funding rates turned positive on most venues.",
    ),
    (
        1,
        "Asset manager files for a fund that holds {name}",
        "An asset manager applied to list a fund holding {name} directly. "
        "The regulator has 45 days to answer; a decision may take longer.",
    ),
    (
        -1,
        "Old {name} wallets move ${count} million to exchanges",
        "Wallets untouched for years sent {name} worth ${count} million to exchanges. "
        "Traders took it as a sign that early holders are selling.",
    ),
    (
        -1,
        "Leveraged longs in {symbol} liquidated in sudden slide",
        "Long positions in {name} worth ${count} million were closed by force. "
        "Order books thinned out on several venues during the move.",
    ),
    (
        -1,
        "Exchange pauses {name} withdrawals for maintenance",
        "An exchange halted withdrawals of {name} for what it called unplanned maintenance. "
        "It said that all funds were safe and gave no time for the restart.",
    ),
    (
        -1,
        "Regulator asks venues about trading in {symbol}",
        "A regulator sent questions about trading in {name} to several venues. "
        "Lawyers said that the letters were routine, but broad.",
    ),
    (
        -1,
        "Bug found in popular {name} wallet",
        "Researchers described a flaw in a wallet used by many holders of {name}. "
        "A fix is out, and about {percent}% of users have installed it so far.",
    ),
    (
        -1,
        "Bridge to {name} drained in an attack",
        "Attackers took about ${count} million from a bridge that connects {name} to other networks. "
        "The network itself was not affected, its developers said.",
    ),
    (
        0,
        "{name} volatility falls to its lowest in months",
        "Implied volatility of {name} options fell to a low of several months. "
        "Desks report that clients are selling calls for income.",
    ),
    (
        0,
        "Developers of {name} discuss a change to fees",
        "A proposal to change how fees work on {name} drew a lively debate. "
        "A vote is not expected before next quarter.",
    ),
)

MARKET: Final[tuple[Template, ...]] = (
    (
        1,
        "Stocks climb as inflation comes in cooler than feared",
        "Consumer prices rose less than economists had forecast. "
        "Traders added to bets on lower interest rates, and yields fell across the curve.",
    ),
    (
        1,
        "Central bank governor hints at patience on rates",
        "The governor said that policy was in a good place and that there was no need to hurry. "
        "Equity futures rose in the minutes after the remarks.",
    ),
    (
        1,
        "Retail sales top forecasts, easing fears of a slowdown",
        "Retail sales rose {percent}% in the month, well above forecasts. "
        "Spending on services was the strongest since spring.",
    ),
    (
        -1,
        "Stocks slip as bond yields jump after a weak auction",
        "Demand at today's bond auction was the weakest in a year. "
        "Yields rose sharply and weighed on shares with high valuations.",
    ),
    (
        -1,
        "New tariffs unsettle investors",
        "The government named goods worth ${count} billion for new tariffs. "
        "Companies with long supply chains fell most.",
    ),
    (
        -1,
        "Purchasing managers report a surprise contraction",
        "An index of business activity fell below the mark that divides growth from contraction. "
        "New orders shrank for the first time in months.",
    ),
    (
        0,
        "Trading desks brace for a large options expiry",
        "Options on ${count} billion of index exposure expire this week. "
        "Dealers expect prices to stay near large strikes until then.",
    ),
)

CLOSINGS: Final = {
    1: (
        "{symbol} traded at {price} before the news.",
        "Volume picked up at once.",
        "Analysts at {broker} called it better than feared.",
        "",
    ),
    -1: (
        "{symbol} traded at {price} before the news.",
        "Sellers were quick to react.",
        "Analysts at {broker} said that they would review their estimates.",
        "",
    ),
    0: (
        "{symbol} was little changed at {price}.",
        "The reaction was muted.",
        "{broker} left its view unchanged.",
        "",
    ),
}

BROKERS: Final = ("Calder & Finch", "Rowan Securities", "Larkfield", "Ostrava Capital", "Twelve Oaks", "Kestrel Bank")
