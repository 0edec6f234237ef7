"""How full the containers of a running program are, by the attribute that holds them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Any

from tests.bounds.table import BOUNDED, FIXED

TABLE = FIXED.keys() | BOUNDED.keys()
CONTAINERS = (dict, list, set, frozenset, tuple, deque)


def census(*roots: object) -> dict[str, int]:
    """The largest size of every container attribute of our own classes that can be reached from `roots`.

    Keys are `module.Class.attribute` below `tui`, with the class that sets the attribute where the table of containers
    knows it, else that of the instance; `[]` stands for the members of a container. A deque with a `maxlen` counts as
    full: it holds no more whatever happens.
    """
    sizes: dict[str, int] = defaultdict(int)
    seen: set[int] = set()
    waiting: list[tuple[str, object]] = [("", root) for root in roots]
    while waiting:
        name, found = waiting.pop()
        if isinstance(found, CONTAINERS):
            if name and not isinstance(found, tuple):
                sizes[name] = max(sizes[name], _size(found))
            members: Iterator[tuple[str, object]] = ((f"{name}[]", each) for each in _members(found))
        elif _is_ours(found):
            members = ((_name(type(found), attribute), value) for attribute, value in _attributes(found))
        else:
            continue
        if id(found) not in seen:
            seen.add(id(found))
            waiting.extend((name, value) for name, value in members if isinstance(value, CONTAINERS) or _is_ours(value))
    return dict(sizes)


def _size(container: Any) -> int:
    return (container.maxlen or len(container)) if isinstance(container, deque) else len(container)


def _name(kind: type, attribute: str) -> str:
    names = [f"{each.__module__}.{each.__qualname__}.{attribute}".removeprefix("tui.") for each in kind.__mro__]
    return next((name for name in names if name in TABLE), names[0])


def _members(container: Any) -> Iterator[object]:
    if isinstance(container, Mapping):
        yield from list(container.keys())
        yield from list(container.values())
    else:
        yield from list(container)


def _attributes(found: object) -> Iterator[tuple[str, object]]:
    yield from list(getattr(found, "__dict__", {}).items())
    for kind in type(found).__mro__:
        for name in getattr(kind, "__slots__", ()):
            if hasattr(found, name):
                yield name, getattr(found, name)


def _is_ours(found: object) -> bool:
    kind = type(found)
    return kind.__module__.startswith("tui.") and not isinstance(found, type | str | int)
