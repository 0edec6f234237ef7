"""Mappings that forget what is oldest when they are full."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def put(known: OrderedDict[K, V], key: K, value: V, limit: int) -> None:
    """Set a value; what was set longest ago goes when there are too many."""
    add(known, key, value, limit)
    known.move_to_end(key)


def add(known: OrderedDict[K, V], key: K, value: V, limit: int) -> None:
    """Set a value and leave it where it is; what came first goes when there are too many."""
    known[key] = value
    if len(known) > limit:
        known.popitem(last=False)
