"""Mistakes in a configuration file, said so that a person can mend them: line, key, what is wrong, what was meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from tui.config_lines import Place, key_lines, line_of
from tui.errors import ConfigError
from tui.market.text import clean

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_SECRET: Final = re.compile(
    r"api_?key|(access|private|secret|rapidapi)_?key|token|secret|passw|passphrase|credential|bearer|authorization",
    re.IGNORECASE,
)
_PLAIN: Final = {
    "Value error, ": "",
    "Input should be": "should be",
    "a valid tuple": "an array",
    "a valid list": "an array",
    "a valid dictionary": "a table",
    "a valid mapping": "a table",
    "a valid string": "a text in quotes",
    "a valid boolean": "true or false",
    "a valid integer": "a whole number",
    "Field required": "is missing",
}

_NOISE: Final = re.compile(r"^(?:Tuple|List|Dictionary) (?=should)| after validation, not \d+|, unable to .*")


class Mistake(NamedTuple):
    """Something wrong at a place of the document. `text` never holds the value that stands there."""

    place: Place
    text: str


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """`, did you mean 'theme'?`, or "" when nothing is close."""
    close = difflib.get_close_matches(word.lower(), list(options), n=1, cutoff=0.6)
    return f", did you mean {close[0]!r}?" if close else ""


def from_validation(
    error: ValidationError, raw: Mapping[str, Any], fields: Iterable[str], prefix: Place = ()
) -> list[Mistake]:
    """What pydantic found, without any input in it; the branches of a union are joined into one mistake.

    Args:
        error: Raised while validating `raw`.
        raw: The decoded table.
        fields: Keys that the table may have, for the hint.
        prefix: Where the table stands in the document.
    """
    found: dict[Place, list[str]] = {}
    for detail in error.errors(include_input=False, include_url=False):
        place = _written(detail["loc"], raw)
        if detail["type"] == "extra_forbidden":
            text = "unknown key" + did_you_mean(str(place[-1]), fields)
        else:
            text = _plain(detail["msg"]) + _nearest(detail.get("ctx", {}), raw, place)
        texts = found.setdefault((*prefix, *place), [])
        if text not in texts:
            texts.append(text)
    return [Mistake(place, ", or ".join(texts)) for place, texts in found.items() if not _has_within(found, place)]


def secrets_in(raw: Mapping[str, Any], known: Mapping[str, Collection[str]], free: Sequence[str]) -> Iterator[Place]:
    """Places whose key looks like that of a secret.

    Args:
        raw: The whole document.
        known: Keys by provider that are settings, whatever they are called.
        free: Top-level tables whose keys the user chooses.
    """
    for key, value in raw.items():
        if key not in free:
            yield from _secrets((key,), value, known)


def report(file: Path, text: str, mistakes: Iterable[Mistake]) -> ConfigError:
    """One error that says all mistakes, one a line and in the order of the file: `FILE:LINE: key: what is wrong`."""
    lines = key_lines(text)
    numbered = sorted((line_of(lines, mistake.place), mistake) for mistake in mistakes)
    return ConfigError("\n".join(f"{file}:{line}: {describe(mistake)}" for line, mistake in numbered))


def describe(mistake: Mistake) -> str:
    """`key: what is wrong`."""
    return f"{dotted(mistake.place)}: {mistake.text}" if mistake.place else mistake.text


def dotted(place: Place) -> str:
    """A place as TOML would write it: `watchlists.main[2]`, `symbols."BTC/USDT".aries`."""
    out = ""
    for part in place:
        if isinstance(part, int):
            out += f"[{part}]"
        else:
            name = clean(part, 60)
            out += "." * bool(out) + (name if _BARE.fullmatch(name) else f'"{name}"')
    return out


def _secrets(place: Place, value: object, known: Mapping[str, Collection[str]]) -> Iterator[Place]:
    is_setting = len(place) == 3 and place[0] == "providers" and str(place[2]) in known.get(str(place[1]), ())
    if not is_setting and isinstance(place[-1], str) and _SECRET.search(place[-1]):
        yield place
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _secrets((*place, key), inner, known)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secrets((*place, index), item, known)


def _written(loc: Place, raw: object) -> Place:
    """The part of a pydantic location that is written in the document, without union branches and `[key]` marks."""
    place: Place = ()
    for part in loc:
        if isinstance(raw, Mapping) and part not in raw and part != "[key]" and not place:
            return (part,)  # a key that is missing
        inside = raw.keys() if isinstance(raw, Mapping) else range(len(raw)) if isinstance(raw, list) else ()
        if part not in inside:
            continue
        raw = raw[part]  # type: ignore[index]
        place = (*place, part)
    return place


def _has_within(places: Iterable[Place], place: Place) -> bool:
    """Whether a mistake deeper inside says it better: the branch of a union that nearly fits."""
    return any(len(other) > len(place) and other[: len(place)] == place for other in places)


def _plain(message: str) -> str:
    message = _NOISE.sub("", message)
    for words, plain in _PLAIN.items():
        message = message.replace(words, plain)
    return clean(message, 300)


def _nearest(context: Mapping[str, Any], raw: object, place: Place) -> str:
    """A hint for a value, or a key, that had to be one of some words. The value itself is not repeated."""
    options = re.findall(r"'([^']*)'", str(context.get("expected", "")))
    word: object = raw
    for part in place:
        word = word[part]  # type: ignore[index]
    if not isinstance(word, str):
        word = place[-1] if place else ""
    return did_you_mean(str(word), options) if options else ""
