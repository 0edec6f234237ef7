"""Frames as the providers' references show them, with figures that move: what the scripted server sends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import cycle
from random import Random
from typing import Final

PAIR: Final = "BTC/USDT"
STOCKS: Final = tuple(
    "AAPL ABNB ADBE ADI ADP ADSK AEP ALGN AMAT AMD AMGN AMZN APP ARM ASML AVGO AXON BIDU BIIB BKNG BKR CDNS CDW CEG "
    "CHTR CMCSA COIN COST CPRT CRWD CSCO CSGP CSX CTAS CTSH DASH DDOG DLTR DXCM EA EBAY ENPH EXC EXPE FANG FAST FITB "
    "FSLR FTNT".split()
)
"""Forty-nine: with the pair they are the fifty symbols of the watch list."""
SYMBOLS: Final = (PAIR, *STOCKS)
CODES: Final = ("BINANCE:BTCUSDT", *(f"NASDAQ:{name}" for name in STOCKS))
VENUES: Final = ("binance", "okx", "bybit", "kraken", "coinbase")
SUBSCRIPTION: Final = "sub_482915"
BEST: Final = 50_000.0
"""Least price of the best bid."""
FIRST_NUMBER: Final = 1_000_000


def quote(code: str, price: float, volume: int) -> str:
    """A flat quote with the ten fields of the reference's sample, about 175 bytes."""
    return json.dumps(
        {
            "code": code, "lp_time": 1767623870, "volume": volume, "last_price": round(price, 3),
            "change_percent": round(price % 5 - 2.5, 2), "change": round(price % 3 - 1.5, 2),
            "ask": round(price + 0.01, 3), "bid": round(price - 0.01, 3), "ask_size": 11.4, "bid_size": 8.02,
        },
        separators=(",", ":"),
    )  # fmt: skip


def quotes(codes: Sequence[str] = CODES, variations: int = 20) -> list[str]:
    """Quotes of all codes in turn, every price a little different from the one before."""
    random = Random(1)
    base = {code: 100.0 + 7 * index for index, code in enumerate(codes)}
    return [quote(code, base[code] * random.uniform(0.99, 1.01), n) for n in range(variations) for code in codes]


def level(price: float, random: Random) -> dict[str, object]:
    """A level as the reference shows it."""
    amount, names = round(random.uniform(0.01, 3), 4), random.sample(VENUES, random.randint(1, 3))
    return {
        "price": price, "amount": amount, "exchanges": names, "exchange_count": len(names),
        "value": round(price * amount, 4),
    }  # fmt: skip


def side(best: float, step: float, random: Random) -> list[dict[str, object]]:
    """Fifty levels, best first."""
    return [level(round(best + index * step, 3), random) for index in range(50)]


class Books:
    """Complete books of 50 + 50 levels, about 11 KB each, numbered one after the other.

    Every book differs from the one before in its number, its best bid and a quarter of its levels.
    """

    def __init__(self, variations: int = 50) -> None:
        random = Random(2)
        bids, asks = side(BEST - 1, -0.7, random), side(BEST + 10_001, 0.7, random)
        self._bodies = cycle([self._body(bids, asks, random) for _ in range(variations)])
        self._number = FIRST_NUMBER

    def next(self, best_bid: float = BEST) -> bytes:
        """The next update; the best bid stands where it is told (`BEST` to 60,000), so that it can carry a time."""
        self._number += 1
        head, tail = next(self._bodies)
        return b"%s%d%s%.3f%s" % (self._head, self._number, head, best_bid, tail)

    _head = f'{{"type": "aggregated_orderbook_update", "symbol": "{PAIR}", "timestamp": "2026-01-05T14:37:51.204871", "update_number": '.encode()  # noqa: E501

    @staticmethod
    def _body(bids: list[dict[str, object]], asks: list[dict[str, object]], random: Random) -> tuple[bytes, bytes]:
        """Change some levels; what stands before and after the price of the best bid then."""
        for _ in range(25):
            levels, place = random.choice((bids, asks)), random.randrange(50)
            levels[place] = level(float(str(levels[place]["price"])), random)
        data = json.dumps({"bids": bids, "asks": asks, "market_stats": {"best_bid": BEST, "best_ask": BEST + 10_001}})
        price = '{"bids": [{"price": '
        rest = data[len(price) :].partition(",")
        head = f', "subscription_id": "{SUBSCRIPTION}", "data": {price}'
        return head.encode(), f",{rest[2]}}}".encode()


def endless(frames: Sequence[bytes]) -> Iterator[bytes]:
    """The same frames over and over, ready for the wire."""
    return cycle([on_the_wire(frame) for frame in frames])


def on_the_wire(payload: bytes) -> bytes:
    """A whole, unmasked text frame (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload
