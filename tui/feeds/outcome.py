"""What the end of a connection means: one function turns every error into an `Outcome`."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Final

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)

from tui.errors import CredentialError, FeedError, RestError
from tui.market.text import clean
from tui.network import retry_after_s
from tui.providers.base import Close, LoginRefused, Then

SLOW_S: Final = 300.0
"""Between attempts when only somebody else can repair it: a certificate, a captive portal."""
RATE_LIMITED_S: Final = 30.0
"""After a 429 that does not say how long."""
PATIENCE: Final = 3
"""Ends of a doubtful kind before the user is asked."""
MAX_REASON: Final = 80

_CHECK_ADDRESS: Final = "Check the address of this channel in the configuration."
_CHECK_CLOCK: Final = "Check this machine's clock."
_CERTIFICATES: Final = {
    9: ("certificate not valid yet", _CHECK_CLOCK),
    10: ("certificate expired", _CHECK_CLOCK),
    62: ("certificate of another host", _CHECK_ADDRESS),
    64: ("certificate of another host", _CHECK_ADDRESS),  # when the host is an IP address
}
"""By OpenSSL's verify codes: reason and remedy."""
_UNTRUSTED: Final = ("certificate not trusted", "Set ca_file if this host has a certificate of your own authority.")
_ERRNO: Final = re.compile(r"\[Errno (\d+)\]")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a connection, or the attempt at one, ended and what follows.

    Attributes:
        then: IDLE and RECONNECT are planned, RETRY goes through the back-off, FAIL waits for the user.
        reason: Short, for a person.
        remedy: What the user can do.
        delay_s: Wait at least this long before the next attempt.
        refresh: A fresh credential is worth one more try, also when `then` is FAIL.
        patience: After so many such ends without a healthy connection in between, wait for the user; 0 is no end.
        is_bug: It is our fault: counted apart, so that health in between does not excuse it.
        is_too_large: A message was larger than allowed.
        until_change: When `then` is FAIL: other wants are worth a try without the user.
        needs_key: Another key or token would help.
    """

    then: Then
    reason: str
    remedy: str = ""
    delay_s: float = 0.0
    refresh: bool = False
    patience: int = 0
    is_bug: bool = False
    is_too_large: bool = False
    until_change: bool = False
    needs_key: bool = False

    @classmethod
    def of(cls, signal: Close | LoginRefused) -> Outcome:
        """What a codec decided."""
        reason, remedy = clean(signal.reason, MAX_REASON), clean(signal.remedy)
        if isinstance(signal, Close):
            return cls(signal.then, reason, remedy, signal.delay_s, signal.refresh, until_change=signal.until_change)
        return cls(Then.FAIL, reason, remedy, refresh=signal.refresh, needs_key=signal.needs_key)


def classify(error: BaseException, provider: str = "") -> Outcome:
    """Sort what ended a connection or kept it from opening. This is the policy.

    ==============================================  ==========================================================
    what happened                                   what follows
    ==============================================  ==========================================================
    HTTP 401, 403                                   one try with a fresh credential, then the user
    HTTP 429                                        back-off, not before Retry-After (30 s when absent)
    HTTP 408, 425, 5xx                              back-off, not before Retry-After
    HTTP 2xx, 3xx (captive portal, wrong address)   every 5 minutes
    HTTP 404 and other 4xx                          the user: the address is wrong
    certificate expired, of another host, unknown   every 5 minutes; verification is never turned off
    TLS that cannot be spoken, not HTTP at all      every 5 minutes
    name not found, refused, unreachable, time-out  back-off
    closed or reset during the handshake            back-off
    proxy: 407, unknown, SOCKS without its extra    the user; other proxy trouble: back-off; never past the proxy
    address that is none                            the user
    close 1000, 1001, 1005, 1006, 1011 to 1014      back-off: the server ended what we still want
    close 1008, 4001-4099, 4400-4499                back-off with a fresh credential, after three the user
    close 1009 (a message too large), other 4xxx    back-off, after three the user
    our ping unanswered, link lost                  back-off
    no usable credential                            the user
    a budget of dials or data is used up            back-off, not before it begins anew
    key rotation or token refresh by HTTP failed    401, 403 and other 4xx: the user; else back-off, Retry-After
    anything else is our own mistake                back-off, after three restarts the user
    ==============================================  ==========================================================

    Args:
        error: What was raised.
        provider: For the remedy.
    """
    match error:
        case ConnectionClosed():
            return _of_close(error)
        case InvalidProxyStatus():
            return _of_proxy_status(error.response.status_code)
        case InvalidStatus():
            headers = error.response.headers
            return _of_status(error.response.status_code, retry_after_s(dict(headers.raw_items())), provider)
        case InvalidURI() | InvalidProxy():  # their texts hold the whole address
            what = "proxy" if isinstance(error, InvalidProxy) else "channel"
            return Outcome(Then.FAIL, f"the address of the {what} is not valid", _CHECK_ADDRESS)
        case ProxyError() if isinstance(error.__cause__, OSError):
            return _retry("the proxy cannot be reached")
        case ProxyError():
            return _retry("the proxy does not answer as one")
        case InvalidMessage() if isinstance(error.__cause__, EOFError | ConnectionError):
            return _retry("closed during the handshake")
        case InvalidHandshake():
            return _slow("not a WebSocket server", _CHECK_ADDRESS)
        case CredentialError():
            return Outcome(Then.FAIL, _short(error), clean(error.remedy) or _store_key(provider), needs_key=True)
        case RestError():
            return _of_rest(error, provider)
        case FeedError():
            then = Then.FAIL if error.retry_after_s is None else Then.RETRY
            return Outcome(then, _short(error), clean(error.remedy), error.retry_after_s or 0.0)
        case ImportError():
            return Outcome(Then.FAIL, "a SOCKS proxy needs one more package", 'Run: pip install "tickdeck[socks]"')
        case TimeoutError():
            return _retry("no answer in time")
        case OSError():
            return _of_os_error(error)
    return Outcome(Then.RETRY, "internal error", "See the log.", patience=PATIENCE + 1, is_bug=True)


def _retry(reason: str, delay_s: float = 0.0) -> Outcome:
    return Outcome(Then.RETRY, reason, delay_s=delay_s)


def _slow(reason: str, remedy: str = "") -> Outcome:
    return Outcome(Then.RETRY, reason, remedy, delay_s=SLOW_S)


def _short(error: Exception) -> str:
    return clean(str(error), MAX_REASON)


def _store_key(provider: str) -> str:
    return f"Run: tickdeck credentials set {provider}".rstrip()


def _of_status(status: int, asked_s: float | None, provider: str) -> Outcome:
    code = f"(HTTP {status})"
    if status in (401, 403):
        return Outcome(Then.FAIL, f"key rejected {code}", _store_key(provider), refresh=True, needs_key=True)
    if status == 429:
        return _retry(f"rate limited {code}", RATE_LIMITED_S if asked_s is None else asked_s)
    if status in (408, 425) or status >= 500:
        return _retry(f"server trouble {code}", asked_s or 0.0)
    if status < 400:
        return _slow(f"captive portal or wrong address {code}", "Open a web page to sign in to the network.")
    return Outcome(Then.FAIL, f"wrong address {code}", _CHECK_ADDRESS)


def _of_proxy_status(status: int) -> Outcome:
    if status == 407:
        return Outcome(Then.FAIL, "the proxy wants a login (HTTP 407)", "Put them into https_proxy in the environment.")
    return _retry(f"the proxy refuses (HTTP {status})")


def _of_rest(error: RestError, provider: str) -> Outcome:
    if error.status is None or error.status in (408, 425, 429) or error.status >= 500:
        return _retry(_short(error), error.retry_after_s or (RATE_LIMITED_S if error.status == 429 else 0.0))
    remedy = clean(error.remedy) or _store_key(provider)
    return Outcome(Then.FAIL, _short(error), remedy, needs_key=error.status in (401, 403))


def _of_close(error: ConnectionClosed) -> Outcome:
    if error.rcvd is not None and (error.rcvd_then_sent or error.sent is None):
        return _of_close_code(error.rcvd.code, clean(error.rcvd.reason, MAX_REASON))
    if error.sent is None:
        return _retry("connection lost")
    if error.sent.code == 1009:
        return _too_large("a message was too large")
    if error.sent.code == 1011:
        return _retry("no answer to pings")
    return _retry("the server broke the protocol" if error.sent.code in (1002, 1003, 1007) else "connection lost")


def _of_close_code(code: int, said: str) -> Outcome:
    def told(what: str) -> str:
        return clean(f"{what} ({code}): {said}" if said else f"{what} ({code})", MAX_REASON)

    if code == 1009:
        return _too_large(told("a message was too large"))
    if code == 1008 or 4001 <= code <= 4099 or 4400 <= code <= 4499:
        return Outcome(Then.RETRY, told("refused by the server"), "Check the key.", refresh=True, patience=PATIENCE)
    if code >= 4000:
        return Outcome(Then.RETRY, told("ended by the server"), patience=PATIENCE)
    if code == 1012:
        return _retry("the server restarts (1012)")
    if code == 1013:
        return _retry("the server is busy (1013)")
    return _retry(told("closed by the server"))


def _too_large(reason: str) -> Outcome:
    remedy = "Ask for fewer symbols or levels."
    return Outcome(Then.RETRY, reason, remedy, patience=PATIENCE, is_too_large=True)


def _of_os_error(error: OSError) -> Outcome:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _slow(*_CERTIFICATES.get(error.verify_code, _UNTRUSTED))
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return _retry("closed during the TLS handshake")
    if isinstance(error, ssl.SSLError):
        return _slow("TLS could not be agreed on", _CHECK_ADDRESS)
    if isinstance(error, socket.gaierror):
        return _retry("host name not found")
    number = error.errno
    if number is None and (found := _ERRNO.search(str(error))):  # several addresses, all failed: the first one's
        number = int(found[1])
    known = {
        errno.ECONNREFUSED: "connection refused",
        errno.ECONNRESET: "connection reset",
        errno.EPIPE: "connection reset",
        errno.ENETUNREACH: "network unreachable",
        errno.EHOSTUNREACH: "host unreachable",
        errno.ETIMEDOUT: "no answer in time",
    }
    if isinstance(error, ConnectionError) and number is None:
        return _retry("connection reset")
    return _retry(known.get(number or 0) or (os.strerror(number).lower() if number else "network trouble"))
