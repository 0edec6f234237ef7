"""The catalogue of faults and the tests that cover them as pages for people: `python -m tests.faults.table`.

A test names what it covers with `@pytest.mark.fault("M12", ...)`. The tests are read, not run: what counts is that a
test exists which the whole test run includes.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

ROOT: Final = Path(__file__).parents[2]
TESTS: Final = ROOT / "tests"
CATALOGUE: Final = Path(__file__).with_name("catalogue.toml")
PAGE: Final = ROOT / "docs" / "reliability.md"
README: Final = ROOT / "README.md"
TITLES: Final = {
    "M": "Fault matrix",
    "S": "Security checklist",
    "Q": "Provider scenarios: QuantCite",
    "I": "Provider scenarios: InsightSentry",
    "A": "Provider scenarios: Aries",
}
_COUNTS: Final = re.compile(r"(?<=\n## Reliability\n)(?P<words>(?:(?!\||#).*\n)*)(?P<table>(?:\|.*\n)+)")

State = Literal["tested", "not applicable", "open"]
STATES: Final[tuple[State, ...]] = ("tested", "not applicable", "open")


@dataclass(frozen=True, slots=True)
class Entry:
    """One fault.

    Attributes:
        id: `M12`: the part of the catalogue and a number that never changes.
        fault: What goes wrong.
        expected: What then has to happen.
        reason: Why it is not tested, or "".
    """

    id: str
    fault: str
    expected: str
    state: State = "tested"
    reason: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Proof:
    """A test, by file (relative to the repository) and name."""

    file: str
    name: str

    @property
    def sentence(self) -> str:
        """Its name as words."""
        return self.name.removeprefix("test_").replace("_", " ")


Covered = Mapping[str, list[Proof]]
"""The tests that name a fault, by its id."""


def catalogue() -> dict[str, Entry]:
    """All entries by id, in their order."""
    return {id: Entry(id, **fields) for id, fields in tomllib.loads(CATALOGUE.read_text(encoding="utf-8")).items()}


def covered(folder: Path = TESTS) -> Covered:
    """What the tests say of themselves."""
    found: defaultdict[str, list[Proof]] = defaultdict(list)
    for path in sorted(folder.rglob("*.py")):
        file = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for id in dict.fromkeys(_marks(node)):
                    found[id].append(Proof(file, node.name))
    return {id: sorted(tests) for id, tests in found.items()}


def _marks(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Ids in the decorators of a test, those of single parameters included."""
    for decorator in test.decorator_list:
        for call in ast.walk(decorator):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.fault":
                yield from (cast("str", ast.literal_eval(argument)) for argument in call.args)


def mistakes(entries: Mapping[str, Entry], tests: Covered) -> list[str]:
    """Where catalogue and tests contradict each other."""
    found = [f"{test.file}: {test.name} names {id}, which is unknown"
             for id, named in tests.items() if id not in entries for test in named]  # fmt: skip
    for entry in entries.values():
        if entry.state not in STATES:
            found.append(f"{entry.id}: there is no state {entry.state}")
        elif entry.state == "tested" and entry.id not in tests:
            found.append(f"{entry.id} is said to be tested, but no test names it")
        elif entry.state != "tested" and entry.id in tests:
            found.append(f"{entry.id} is said to be {entry.state}, but {tests[entry.id][0].name} names it")
        if (entry.state == "tested") is bool(entry.reason):
            found.append(f"{entry.id}: a reason goes with what is not tested, and only with that")
    return found


def counts(entries: Mapping[str, Entry]) -> str:
    """How many entries are tested, not applicable and open, part by part."""
    rows = ["| part | tested | not applicable | open | all |", "|---|---|---|---|---|"]
    for part, title in [*TITLES.items(), ("", "**all**")]:
        states = [entry.state for entry in entries.values() if entry.id.startswith(part)]
        figures = [*(states.count(state) for state in STATES), len(states)]
        rows.append(f"| {title} | " + " | ".join(map(str, figures)) + " |")
    return "\n".join(rows)


def page(entries: Mapping[str, Entry], tests: Covered) -> str:
    """The whole table."""
    parts = [
        "# Reliability\n",
        "What can go wrong, what then has to happen, and the tests that make it go wrong on this machine and look.",
        "`make reliability` writes this page from `tests/faults/catalogue.toml` and the marks of the tests; a test",
        "fails when it is out of date. *Open* means: no test would fail, whatever the program does.\n",
        counts(entries),
    ]
    for part, title in TITLES.items():
        parts += ["", f"## {title}\n", "| | fault | what has to happen | tests |", "|---|---|---|---|"]
        parts += [_row(entry, tests.get(entry.id, [])) for entry in entries.values() if entry.id.startswith(part)]
    return "\n".join(parts) + "\n"


def _row(entry: Entry, tests: list[Proof]) -> str:
    if entry.state == "tested":
        proof = "<br>".join(f"[{test.sentence}](../{test.file})" for test in tests)
    else:
        proof = f"**{entry.state}**: {entry.reason}"
    return f"| {entry.id} | {entry.fault} | {entry.expected} | {proof} |"


def readme(text: str, entries: Mapping[str, Entry]) -> str:
    """The README with the present counts in its section on reliability."""
    if _COUNTS.search(text) is None:
        raise ValueError("README.md has no table in its section on reliability")
    return _COUNTS.sub(lambda found: f"{found['words']}{counts(entries)}\n", text, count=1)


def main() -> None:
    """Write both files anew."""
    entries = catalogue()
    PAGE.write_text(page(entries, covered()), encoding="utf-8")
    README.write_text(readme(README.read_text(encoding="utf-8"), entries), encoding="utf-8")


if __name__ == "__main__":
    main()
