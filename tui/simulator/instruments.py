"""What is traded on the simulated market, and the character each instrument moves with."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

InstrumentKind = Literal["stock", "etf", "index", "crypto"]

STOCK_VENUES: Final = ("XNAS", "ARCX", "BATS", "XNYS", "IEXG", "EDGX")
CRYPTO_VENUES: Final = ("binance", "okx", "bybit", "kraken", "coinbase", "kucoin")

_STOCK_YEAR_S: Final = 252 * 6.5 * 3600
_CRYPTO_YEAR_S: Final = 365.25 * 86_400
# Calm markets make dull demos: prices within a day move this much more than the yearly figures below say.
_LIVELINESS: Final = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One thing with a price; sizes are in shares or coins, prices in `currency`."""

    symbol: str
    """The user's spelling: `AAPL`, `SPX`, `BTC/USDT`."""
    kind: InstrumentKind
    description: str
    exchange: str
    """Where it is listed: `NASDAQ`, `NYSE`, `CBOE`, `BINANCE`, ..."""
    currency: str
    tick: Decimal
    """Smallest price step, a power of ten."""
    size_step: Decimal
    """Smallest size step, a power of ten."""
    venues: tuple[str, ...]
    """Where it trades; empty for an index."""
    sector: str
    beta: float
    """How far it moves when its market moves by one; negative for a volatility index."""
    start_price: Decimal
    """Price when the simulation starts."""
    volatility: float
    """Standard deviation of its own yearly return, beyond what market and sector explain."""
    trades_per_s: float
    """Average prints a second in regular hours at rate 1."""
    typical_size: Decimal
    """Median size of one order."""
    spread_bp: float
    """Usual spread at one venue, in basis points of the price."""

    @property
    def is_index(self) -> bool:
        """Whether it is computed rather than traded: no bid, ask, book or trades."""
        return self.kind == "index"

    @property
    def is_always_open(self) -> bool:
        """Whether it trades outside the sessions of the stock market."""
        return self.kind == "crypto"

    @property
    def own_sigma(self) -> float:
        """Standard deviation of its own return over one second of open market."""
        return per_second(self.volatility, always_open=self.is_always_open)


def per_second(yearly: float, *, always_open: bool) -> float:
    """Turn a yearly volatility into that of one second in which the market is open."""
    year_s = _CRYPTO_YEAR_S if always_open else _STOCK_YEAR_S
    return _LIVELINESS * yearly / math.sqrt(year_s)


# symbol, description, exchange, price, sector, beta, own volatility, trades a second, usual shares, spread in bp
_STOCKS: Final = (
    ("AAPL", "Apple Inc.", "NASDAQ", "187.44", "tech", 1.1, 0.16, 2.8, 90, 0.6),
    ("NVDA", "NVIDIA Corporation", "NASDAQ", "143.15", "semis", 1.7, 0.30, 3.0, 120, 0.8),
    ("MSFT", "Microsoft Corporation", "NASDAQ", "428.90", "tech", 1.0, 0.15, 2.2, 60, 0.7),
    ("GOOGL", "Alphabet Inc. Class A", "NASDAQ", "192.35", "internet", 1.1, 0.18, 1.9, 70, 0.7),
    ("AMZN", "Amazon.com, Inc.", "NASDAQ", "221.80", "internet", 1.2, 0.20, 2.2, 80, 0.7),
    ("META", "Meta Platforms, Inc.", "NASDAQ", "612.25", "internet", 1.2, 0.22, 1.5, 40, 0.9),
    ("TSLA", "Tesla, Inc.", "NASDAQ", "403.60", "autos", 1.8, 0.42, 2.9, 80, 0.9),
    ("AMD", "Advanced Micro Devices, Inc.", "NASDAQ", "121.30", "semis", 1.6, 0.30, 2.0, 100, 0.9),
    ("NFLX", "Netflix, Inc.", "NASDAQ", "884.10", "internet", 1.1, 0.26, 0.9, 25, 1.5),
    ("INTC", "Intel Corporation", "NASDAQ", "20.45", "semis", 1.2, 0.32, 1.6, 400, 4.0),
    ("AVGO", "Broadcom Inc.", "NASDAQ", "231.90", "semis", 1.4, 0.28, 1.3, 50, 1.2),
    ("QCOM", "QUALCOMM Incorporated", "NASDAQ", "161.70", "semis", 1.3, 0.24, 0.8, 60, 1.2),
    ("CSCO", "Cisco Systems, Inc.", "NASDAQ", "59.85", "tech", 0.9, 0.15, 0.9, 150, 1.7),
    ("ADBE", "Adobe Inc.", "NASDAQ", "432.20", "tech", 1.2, 0.24, 0.6, 30, 1.6),
    ("CRM", "Salesforce, Inc.", "NYSE", "331.05", "tech", 1.2, 0.24, 0.7, 35, 1.5),
    ("ORCL", "Oracle Corporation", "NYSE", "166.40", "tech", 1.1, 0.24, 0.9, 60, 1.3),
    ("JPM", "JPMorgan Chase & Co.", "NYSE", "247.30", "finance", 1.0, 0.14, 1.2, 60, 1.0),
    ("BAC", "Bank of America Corporation", "NYSE", "45.95", "finance", 1.1, 0.16, 1.2, 250, 2.2),
    ("GS", "The Goldman Sachs Group, Inc.", "NYSE", "581.20", "finance", 1.2, 0.17, 0.5, 20, 2.5),
    ("V", "Visa Inc.", "NYSE", "314.75", "finance", 0.9, 0.12, 0.7, 40, 1.1),
    ("XOM", "Exxon Mobil Corporation", "NYSE", "109.40", "energy", 0.7, 0.16, 1.0, 90, 1.0),
    ("CVX", "Chevron Corporation", "NYSE", "155.60", "energy", 0.7, 0.16, 0.7, 60, 1.2),
    ("JNJ", "Johnson & Johnson", "NYSE", "144.85", "health", 0.5, 0.11, 0.7, 60, 1.0),
    ("LLY", "Eli Lilly and Company", "NYSE", "778.40", "health", 0.7, 0.25, 0.5, 15, 2.5),
    ("UNH", "UnitedHealth Group Incorporated", "NYSE", "520.15", "health", 0.6, 0.22, 0.5, 20, 2.0),
    ("WMT", "Walmart Inc.", "NYSE", "92.10", "consumer", 0.6, 0.12, 1.0, 110, 1.1),
    ("KO", "The Coca-Cola Company", "NYSE", "62.35", "consumer", 0.5, 0.09, 0.8, 150, 1.6),
    ("DIS", "The Walt Disney Company", "NYSE", "110.55", "consumer", 1.0, 0.19, 0.8, 80, 1.1),
    ("BA", "The Boeing Company", "NYSE", "172.60", "industry", 1.1, 0.26, 0.7, 50, 1.5),
    ("COIN", "Coinbase Global, Inc.", "NASDAQ", "268.90", "finance", 2.2, 0.55, 1.0, 40, 2.5),
)
# Funds follow the index named as their sector.
_FUNDS: Final = (
    ("SPY", "SPDR S&P 500 ETF Trust", "ARCA", "598.20", "SPX", 1.0, 0.004, 3.0, 150, 0.2),
    ("QQQ", "Invesco QQQ Trust", "NASDAQ", "525.60", "NDX", 1.2, 0.004, 2.6, 120, 0.3),
    ("IWM", "iShares Russell 2000 ETF", "ARCA", "225.40", "RUT", 1.2, 0.005, 1.3, 120, 0.5),
    ("DIA", "SPDR Dow Jones Industrial Average ETF Trust", "ARCA", "436.90", "DJI", 0.9, 0.005, 0.7, 40, 0.6),
)
# symbol, description, exchange, value, beta, own volatility
_INDICES: Final = (
    ("SPX", "S&P 500 Index", "CBOE", "5998.74", 1.0, 0.02),
    ("NDX", "Nasdaq-100 Index", "NASDAQ", "21565.30", 1.2, 0.03),
    ("DJI", "Dow Jones Industrial Average", "DJ", "43705.16", 0.9, 0.03),
    ("RUT", "Russell 2000 Index", "FTSE", "2271.85", 1.2, 0.08),
    ("VIX", "CBOE Volatility Index", "CBOE", "16.35", -4.5, 0.50),
)
# symbol, name, price, tick, size step, beta, own volatility, trades a second, usual coins, spread in bp
_COINS: Final = (
    ("BTC", "Bitcoin", "97211.3", "0.1", "0.00001", 1.0, 0.12, 4.6, "0.035", 0.10),
    ("ETH", "Ethereum", "3342.18", "0.01", "0.0001", 1.2, 0.25, 3.8, "0.6", 0.18),
    ("SOL", "Solana", "191.46", "0.01", "0.001", 1.4, 0.40, 3.6, "9", 0.9),
    ("XRP", "XRP", "2.4315", "0.0001", "0.1", 1.1, 0.45, 2.8, "600", 0.9),
    ("BNB", "BNB", "698.42", "0.01", "0.001", 0.8, 0.25, 1.8, "1.6", 0.6),
    ("DOGE", "Dogecoin", "0.36214", "0.00001", "1", 1.5, 0.45, 2.4, "3800", 0.9),
    ("ADA", "Cardano", "0.9462", "0.0001", "0.1", 1.3, 0.45, 1.5, "1300", 1.8),
    ("AVAX", "Avalanche", "37.62", "0.01", "0.01", 1.4, 0.45, 1.2, "24", 3.5),
    ("LINK", "Chainlink", "20.871", "0.001", "0.01", 1.3, 0.45, 1.1, "45", 1.2),
    ("DOT", "Polkadot", "6.843", "0.001", "0.01", 1.3, 0.40, 0.9, "130", 2.2),
    ("LTC", "Litecoin", "104.63", "0.01", "0.001", 1.0, 0.35, 0.9, "6", 1.6),
    ("TRX", "TRON", "0.24185", "0.00001", "1", 0.7, 0.25, 0.9, "4500", 1.0),
    ("SUI", "Sui", "4.6325", "0.0001", "0.1", 1.6, 0.55, 1.2, "240", 1.4),
)


def catalogue() -> Mapping[str, Instrument]:
    """List every instrument by symbol: stocks first, then funds, indices and coins."""
    return MappingProxyType({each.symbol: each for each in _every()})


def _every() -> Iterator[Instrument]:
    cent = Decimal("0.01")
    for kind, rows in (("stock", _STOCKS), ("etf", _FUNDS)):
        for symbol, name, exchange, price, sector, beta, volatility, pace, shares, spread in rows:
            yield Instrument(
                symbol=symbol,
                kind="stock" if kind == "stock" else "etf",
                description=name,
                exchange=exchange,
                currency="USD",
                tick=cent,
                size_step=Decimal(1),
                venues=STOCK_VENUES,
                sector=sector,
                beta=beta,
                start_price=Decimal(price),
                volatility=volatility,
                trades_per_s=pace,
                typical_size=Decimal(shares),
                spread_bp=spread,
            )
    for symbol, name, exchange, price, beta, volatility in _INDICES:
        yield Instrument(
            symbol=symbol,
            kind="index",
            description=name,
            exchange=exchange,
            currency="USD",
            tick=cent,
            size_step=Decimal(1),
            venues=(),
            sector="index",
            beta=beta,
            start_price=Decimal(price),
            volatility=volatility,
            trades_per_s=0.0,
            typical_size=Decimal(1),
            spread_bp=0.0,
        )
    for symbol, name, price, tick, step, beta, volatility, pace, coins, spread in _COINS:
        yield Instrument(
            symbol=f"{symbol}/USDT",
            kind="crypto",
            description=f"{name} / Tether",
            exchange="BINANCE",
            currency="USDT",
            tick=Decimal(tick),
            size_step=Decimal(step),
            venues=CRYPTO_VENUES,
            sector="crypto",
            beta=beta,
            start_price=Decimal(price),
            volatility=volatility,
            trades_per_s=pace,
            typical_size=Decimal(coins),
            spread_bp=spread,
        )
