"""Rules of the code that no type checker knows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "tui").rglob("*.py"))


def test_import_directions_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.fault("S4")
@pytest.mark.parametrize("switch", ["CERT_NONE", "check_hostname", "verify=False", "_create_unverified"])
def test_tls_verification_is_never_turned_off(switch: str) -> None:
    assert [path.name for path in SOURCES if switch in path.read_text(encoding="utf-8")] == []


MARKUP_SINKS = {"Static", "Label", "Button", "Option", "Tab", "Collapsible", "update"}
SAFE_MAKERS = {"Content", "Text", "keys_table", "_row", "line"}


@pytest.mark.fault("S2")
@pytest.mark.parametrize("folder", ["panes", "screens", "widgets"])
def test_no_text_reaches_a_markup_parser(folder: str) -> None:
    """What parses markup is given Content or Text objects, never a string that a provider could have written."""
    for path in sorted((ROOT / "tui" / folder).rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        assert "border_title" not in source, path
        assert "tooltip" not in source, path
        for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
            if name_of(call.func) in MARKUP_SINKS and call.args and "textual.widgets" in source:
                first = call.args[0]
                made_by = name_of(first.func) if isinstance(first, ast.Call) else ast.unparse(first)
                assert made_by in SAFE_MAKERS, f"{path}:{call.lineno}: {ast.unparse(call)}"


def name_of(function: ast.expr) -> str:
    """The last part of a called name."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@pytest.mark.fault("S2")
def test_every_notification_is_plain_text() -> None:
    for path in SOURCES:
        for call in re.findall(r"\.notify\((.*?)\)\s*(?:#|$)", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert "markup=False" in call, path


def test_nothing_prints_but_the_commands() -> None:
    allowed = {"cli.py", "__main__.py"}
    for path in SOURCES:
        if "commands" not in path.parts and path.name not in allowed:
            assert not re.search(r"^\s*print\(", path.read_text(encoding="utf-8"), re.MULTILINE), path
