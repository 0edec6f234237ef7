"""The table `[keys]`: which key starts which action."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from tui.config_lines import Place
from tui.config_mistakes import Mistake, did_you_mean

KnownActions = Callable[[], Collection[str]]
"""Names of all actions; called only when there is a key to check."""
_KEY: Final = re.compile(r"[^\s\x00-\x20]{1,60}")


def check_keys(table: object, actions: KnownActions | None = None) -> tuple[dict[str, str], list[Mistake]]:
    """Keys by action, and what is wrong.

    Names of actions hold dots, so `app.quit = "x"`, `"app.quit" = "x"` and a table `[keys.app]` are the same.

    Args:
        table: What stands under `keys`.
        actions: None when the names cannot be checked.
    """
    if not isinstance(table, Mapping):
        return {}, [Mistake(("keys",), "should be a table")]
    keys: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for place, value in _leaves(("keys",), table):
        action = ".".join(map(str, place[1:]))
        if actions and action not in (known := actions()):
            mistakes.append(Mistake(place, "no such action" + did_you_mean(action, known)))
        elif not isinstance(value, str) or not _KEY.fullmatch(value):
            mistakes.append(Mistake(place, "should be a key, such as ctrl+p"))
        else:
            keys[action] = value
    return keys, mistakes


def _leaves(place: Place, table: Mapping[str, Any]) -> Iterator[tuple[Place, object]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves((*place, name), value)
        else:
            yield (*place, name), value
