"""Symbols to InsightSentry's `EXCHANGE:SYMBOL` codes by rule, and back. Protocol reference 3.1."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from tui.errors import SymbolError
from tui.market.names import AssetClass, Option, Symbol, asset_class, parse_symbol, split_option
from tui.providers.insightsentry import guesses

DEFAULT: Final = "NASDAQ"
"""Exchange of a stock that is in no table and that no search has found."""
NASDAQ: Final = frozenset(
    "AAPL ABNB ADBE ADI ADP ADSK AEP ALGN AMAT AMD AMGN AMZN APP ARM ASML AVGO AXON BIDU BIIB BKNG BKR CDNS CDW CEG "
    "CHTR CMCSA COIN COST CPRT CRWD CSCO CSGP CSX CTAS CTSH DASH DDOG DLTR DXCM EA EBAY ENPH EXC EXPE FANG FAST FITB "
    "FSLR FTNT GEHC GFS GILD GOOG GOOGL HBAN HON HOOD IBKR IDXX ILMN INTC INTU ISRG JD KDP KHC KLAC KMB LCID LIN LRCX "
    "LULU MAR MARA MCHP MDB MDLZ MELI META MNST MRNA MRVL MSFT MSTR MU NDAQ NFLX NTES NVDA NXPI ODFL OKTA ON ORLY "
    "PANW PAYX PCAR PDD PEP PLTR PYPL QCOM QQQ REGN RIOT RIVN ROKU ROP ROST SBUX SHOP SIRI SMCI SNPS SOFI STX SWKS "
    "TEAM TLT TMUS TROW TSCO TSLA TTD TTWO TXN UAL VRSK VRSN VRTX WBD WDAY WDC WMT XEL ZM ZS".split()
)
NYSE: Final = frozenset(
    "A AA ABBV ABT ACN AIG ALL AMT ANET APD AXP AZN BA BABA BAC BAX BBY BDX BK BLK BMY BP BRK.A BRK.B BSX BX C CAT CB "
    "CCL CI CL CLX CMG CNC COF COP CRM CVS CVX D DAL DD DE DELL DHI DHR DIS DOW DUK DVN ECL EL EMR ENB EOG ET ETN EW "
    "F FCX FDX GD GE GEV GIS GLW GM GS HAL HCA HD HES HLT HPE HPQ HUM IBM ICE IT JNJ JPM KMI KO KR LEN LLY LMT LOW "
    "LUV LVS MA MCD MCK MCO MDT MET MMC MMM MO MPC MRK MS MSCI NEE NEM NIO NKE NOC NOW NSC NU NVO ORCL OXY PFE PG PGR "
    "PLD PM PNC PSA PSX RBLX RCL RIO RTX SCHW SE SHEL SHW SLB SNAP SNOW SO SONY SPG SPGI SPOT SQ SYK SYY T TDG TFC "
    "TGT TJX TM TMO TRV TSM TT U UBER UNH UNP UPS USB V VALE VLO VZ WFC WM WMB X XOM XYZ YUM ZTS".split()
)
ARCA: Final = frozenset(
    "SPY IWM DIA VOO VTI IVV GLD SLV USO UNG GDX GDXJ EEM EFA XLF XLE XLK XLV XLI XLP XLY XLU XLB XLRE XLC XBI XOP "
    "XHB KRE ARKK HYG LQD JNK VNQ VEA VWO IEMG AGG UVXY VXX SVXY TZA TNA SPXL SPXS SPXU UPRO SDS SSO SH SCHD RSP VYM "
    "VTV VUG MDY IJR IJH EWJ EWZ FXI KWEB BITO".split()
)
FIAT: Final = frozenset("USD EUR GBP JPY CHF AUD CAD NZD SEK NOK CNH MXN".split())
COINS: Final = frozenset("ADA AVAX BCH BNB BTC DOGE DOT ETH LINK LTC SOL TRX XRP".split())
_STABLE_FIRST: Final = (
    "FDUSD", "USDT", "USDC", "TUSD", "BUSD", "DAI", "USD", "EUR", "GBP", "JPY", "TRY", "BRL", "BTC", "ETH", "BNB",
)  # fmt: skip
_OPRA: Final = re.compile(r"OPRA:([A-Z][A-Z0-9.]{0,5})(\d{6})([CP])(\d{1,6}(?:\.\d{1,3})?)", re.ASCII)


def to_code(symbol: Symbol) -> str | None:
    """The usual code of a symbol; a provider's own code passes through. None for what the rules cannot spell."""
    match asset_class(symbol):
        case AssetClass.CODE:
            return symbol
        case AssetClass.OPTION:
            option = split_option(symbol)
            return None if option is None else _opra(option)
        case AssetClass.PAIR:
            base, _, quote = symbol.partition("/")
            return f"{_pair_exchange(base, quote)}:{base}{quote}"
        case AssetClass.INDEX:
            return guesses.INDEX_CODES.get(symbol)
        case AssetClass.EQUITY:
            return f"{_stock_exchange(symbol)}:{symbol}"


def to_symbol(code: str) -> Symbol | None:
    """The spelling that the rules would turn into this code, else the code itself; None when it is no code at all."""
    try:
        own = parse_symbol(code)
    except SymbolError:
        return None
    for candidate in _candidates(code):
        try:
            symbol = parse_symbol(candidate)
        except SymbolError:
            continue
        if to_code(symbol) == code:
            return symbol
    return own if ":" in own else None


def is_well_known(code: str) -> bool:
    """Whether the server is all but certain to know a code, so that an error is more likely due to another one."""
    exchange, _, name = code.partition(":")
    known = {DEFAULT: NASDAQ, "NYSE": NYSE, guesses.ARCA: ARCA, guesses.CRYPTO: {f"{coin}USDT" for coin in COINS}}
    return name in known.get(exchange, ())


def short_name(code: str, kind: str) -> Symbol | None:
    """The spelling people use for a US stock, fund or well-known index that search found, or None for anything else.

    Args:
        code: `NYSE:FOO`.
        kind: As the provider calls it: `stock`, `index`, ...
    """
    exchange, _, name = code.partition(":")
    try:
        symbol = parse_symbol(name)
    except SymbolError:
        return None
    usual = AssetClass.INDEX if kind == "index" else AssetClass.EQUITY
    is_home = kind == "index" or exchange in (DEFAULT, "NYSE", guesses.ARCA)
    return symbol if is_home and asset_class(symbol) is usual else None


def _candidates(code: str) -> list[str]:
    exchange, _, name = code.partition(":")
    found = [index for index, known in guesses.INDEX_CODES.items() if known == code]
    if match := _OPRA.fullmatch(code):
        found += _option_spelling(*match.groups())
    if exchange == guesses.FOREX and len(name) == 6:
        found.append(f"{name[:3]}/{name[3:]}")
    if exchange in (guesses.CRYPTO, guesses.CRYPTO_FIAT):
        found += [f"{name.removesuffix(quote)}/{quote}" for quote in _STABLE_FIRST if name.endswith(quote)]
    if exchange in (DEFAULT, "NYSE", guesses.ARCA):
        found.append(name)
    return found


def _option_spelling(root: str, day: str, right: str, strike: str) -> list[str]:
    try:
        expiry = datetime.strptime(day, "%y%m%d").date()
    except ValueError:
        return []
    return [f"{root} {expiry.isoformat()} {strike}{right}"]


def _opra(option: Option) -> str:
    """`OPRA:AAPL261218C200.0`: the strike always shows a decimal (3.1)."""
    strike = option.strike if "." in option.strike else f"{option.strike}.0"
    return f"OPRA:{option.root}{option.expiry:%y%m%d}{option.right}{strike}"


def _pair_exchange(base: str, quote: str) -> str:
    if base in FIAT and quote in FIAT:
        return guesses.FOREX
    return guesses.CRYPTO_FIAT if quote in FIAT else guesses.CRYPTO


def _stock_exchange(symbol: str) -> str:
    if symbol in NYSE:
        return "NYSE"
    return guesses.ARCA if symbol in ARCA else DEFAULT
