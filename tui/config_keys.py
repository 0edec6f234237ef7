"""The table `[keys]`: which key starts which action."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tui.config_lines import Place
from tui.config_mistakes import Mistake, did_you_mean

KnownActions = Callable[[], Mapping[str, str]]
"""The default keys, comma-separated, of every action by its name; called only when there is a key to check."""
EVERYWHERE: Final = "app"
"""The scope of actions whose keys work in every pane."""
_KEY: Final = re.compile(r"[^\s\x00-\x20]{1,60}")
_SHORT: Final = {"solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at",
                 "hyphen_minus": "minus", "plus_sign": "plus", "low_line": "underscore"}  # fmt: skip


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
    places: dict[str, Place] = {}
    mistakes: list[Mistake] = []
    for place, value in _leaves(("keys",), table):
        action = ".".join(map(str, place[1:]))
        if actions and action not in (known := actions()):
            mistakes.append(Mistake(place, "no such action" + did_you_mean(action, known)))
        elif not isinstance(value, str) or not _KEY.fullmatch(value):
            mistakes.append(Mistake(place, "should be a key, such as ctrl+p"))
        else:
            keys[action], places[action] = value, place
    if actions and keys:
        mistakes += _shared(keys, places, actions())
    return keys, mistakes


def _shared(keys: Mapping[str, str], places: Mapping[str, Place], defaults: Mapping[str, str]) -> Iterator[Mistake]:
    """Keys that would start two actions in one place, so that one of them could not be started any more.

    What two actions share by default they may share: there one gives way to the other.
    """
    used = {action: _names(keys.get(action, usual)) for action, usual in defaults.items()}
    taken = [action for action in defaults if action not in places]
    for action, place in places.items():
        for other in taken:
            usual = _names(defaults[action]) & _names(defaults[other])
            if _meet(action, other) and (both := (used[action] & used[other]) - usual):
                text = f"already starts {other}; choose another key, or give {other} another one"
                yield Mistake(place, f"{' and '.join(sorted(both))} {text}")
        taken.append(action)


def _meet(one: str, other: str) -> bool:
    """Whether there is a pane in which keys of both actions work."""
    scopes = {one.partition(".")[0], other.partition(".")[0]}
    return len(scopes) == 1 or EVERYWHERE in scopes


def _names(keys: str) -> set[str]:
    """The full names of comma-separated keys: `?` is `question_mark`."""
    return {_name(key) if len(key) == 1 else key for key in keys.split(",")}


def _name(character: str) -> str:
    if character.isalnum():
        return character
    name = unicodedata.name(character, character).lower().replace("-", "_").replace(" ", "_")
    return _SHORT.get(name, name)


def _leaves(place: Place, table: Mapping[str, Any]) -> Iterator[tuple[Place, object]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves((*place, name), value)
        else:
            yield (*place, name), value
