"""What every way to the outside shares: which hosts are this machine, TLS trust, how long a server asked to wait."""

from __future__ import annotations

import ipaddress
import math
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

MAX_RETRY_AFTER_S: Final = 900.0
"""Longest wait that a server can impose."""


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine, judged by its spelling: no look-up."""
    if not host:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Verify certificates and host names against what the operating system trusts, and `ca_file` besides.

    Raises:
        OSError: `ca_file` cannot be read or holds no certificate.
    """
    import truststore  # only programs that dial pay for it

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that a `Retry-After` header asks to wait, as a number or an HTTP date; None when absent or nonsense.

    Never below zero, never above `MAX_RETRY_AFTER_S`.
    """
    text = headers.get("Retry-After", "").strip()
    if not text or len(text) > 64:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = _until(parsedate_to_datetime(text), now or datetime.now(UTC))
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if math.isfinite(seconds) else None


def _until(moment: datetime, now: datetime) -> float:
    return ((moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment) - now).total_seconds()
