"""The table of faults is true: ids exist, what is tested has tests, and the pages are up to date."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.table import PAGE, README, Entry, Proof, catalogue, covered, mistakes, page, readme

AGAIN = "run: make reliability"


def test_catalogue_and_tests_agree() -> None:
    assert mistakes(catalogue(), covered()) == []


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(catalogue(), covered()), AGAIN


def test_the_readme_has_the_present_counts() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == readme(text, catalogue()), AGAIN
    assert "docs/reliability.md" in text


ENTRY = Entry("M1", "f", "e")
TESTED = {"M1": [Proof("tests/test_x.py", "test_x")]}


@pytest.mark.parametrize(
    ("entry", "tests", "said"),
    [
        (ENTRY, {}, "no test names it"),
        (replace(ENTRY, state="open", reason="later"), TESTED, "but test_x names it"),
        (replace(ENTRY, state="open"), {}, "a reason goes with"),
        (ENTRY, {**TESTED, "M2": TESTED["M1"]}, "names M2, which is unknown"),
    ],
)
def test_a_contradiction_is_said(entry: Entry, tests: dict[str, list[Proof]], said: str) -> None:
    [mistake] = mistakes({"M1": entry}, tests)
    assert said in mistake


def test_marks_are_found_on_functions_methods_and_parameters(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        '@pytest.mark.fault("M1", "S2")\ndef test_one(): ...\n'
        'class TestX:\n    @pytest.mark.fault("M2")\n    async def test_two(self): ...\n'
        '@pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.fault("M3"))])\ndef test_three(x): ...\n'
        '@pytest.mark.fault("M9")\ndef helper(): ...\n',
        encoding="utf-8",
    )
    found = {id: [test.name for test in tests] for id, tests in covered(tmp_path).items()}
    assert found == {"M1": ["test_one"], "S2": ["test_one"], "M2": ["test_two"], "M3": ["test_three"]}


def test_new_counts_replace_old_ones() -> None:
    old = "# x\n\n## Reliability\n\nwords\n\n| part | tested |\n|---|---|\n| Fault matrix | 1 |\n\nmore\n\n## Next\n"
    new = readme(old, {"M1": ENTRY})
    assert "| Fault matrix | 1 | 0 | 0 | 1 |" in new
    assert "| tested |\n" not in new
    assert new.startswith("# x\n\n## Reliability\n\nwords\n\n| part | tested | not applicable |")
    assert new.endswith("|\n\nmore\n\n## Next\n")
    assert readme(new, {"M1": ENTRY}) == new
