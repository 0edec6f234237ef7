"""Containers in the source: attributes of classes, variables of modules, and caches of functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "tui"
KINDS = {
    "dict", "list", "set", "deque", "defaultdict", "OrderedDict", "Counter", "Mapping", "MutableMapping",
    "MutableSequence", "MutableSet", "bytearray", "array", "Queue", "SimpleQueue", "WeakSet", "WeakKeyDictionary",
    "WeakValueDictionary", "ChainMap", "UserDict", "UserList",
}  # fmt: skip
CACHES = {"cache", "lru_cache"}


def containers() -> Iterator[str]:
    """Names of all of them: `tui.market.store.MarketStore.notices`, `tui.screens.top_bar.new_york()`."""
    for path in sorted(SOURCE.rglob("*.py")):
        module = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield from (f"{module}.{name}" for name in _variables(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                yield from (f"{module}.{node.name}.{name}" for name in sorted(_attributes(node)))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(_is_cache, node.decorator_list)):
                yield f"{module}.{node.name}()"


def _variables(tree: ast.Module) -> Iterator[str]:
    """Variables of a module that start empty: whatever fills them goes on doing so. Tables of constants do not."""
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if _is_container(node.value) and not _has_members(node.value):
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _attributes(node: ast.ClassDef) -> set[str]:
    """Fields of the class body and whatever is set on `self`; class variables only where they start empty."""
    found: set[str] = set()
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                is_shared = "ClassVar" in ast.unparse(annotation) and (value is None or _has_members(value))
                if not is_shared and (_names_container(annotation) or _is_container(value)):
                    found.add(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if _is_container(value) and not _has_members(value):
                    found.add(name)
    for inner in ast.walk(node):
        match inner:
            case ast.AnnAssign(target=ast.Attribute(value=ast.Name(id="self"), attr=name), annotation=annotation):
                if _names_container(annotation) or _is_container(inner.value):
                    found.add(name)
            case ast.Assign(targets=targets, value=value):
                found |= {target.attr for target in _flat(targets) if _is_self(target) and _is_container(value)}
    return found


def _flat(targets: list[ast.expr]) -> Iterator[ast.Attribute]:
    for target in targets:
        if isinstance(target, ast.Tuple):
            yield from _flat(target.elts)
        elif isinstance(target, ast.Attribute):
            yield target


def _is_self(target: ast.Attribute) -> bool:
    return isinstance(target.value, ast.Name) and target.value.id == "self"


def _names_container(annotation: ast.expr) -> bool:
    """Whether a type is a container, or holds one; what a callable takes and gives does not count."""
    if isinstance(annotation, ast.Subscript) and _name(annotation.value) in {"Callable", "type", "ClassVar"}:
        return _name(annotation.value) == "ClassVar" and _names_container(annotation.slice)
    if _name(annotation) in KINDS:
        return True
    return any(_names_container(child) for child in ast.iter_child_nodes(annotation) if isinstance(child, ast.expr))


def _is_container(value: ast.expr | None) -> bool:
    match value:
        case ast.Dict() | ast.List() | ast.Set() | ast.DictComp() | ast.ListComp() | ast.SetComp():
            return True
        case ast.Tuple(elts=elements):
            return any(map(_is_container, elements))
        case ast.BinOp(left=left, right=right):
            return _is_container(left) or _is_container(right)
        case ast.IfExp(body=body, orelse=other):
            return _is_container(body) or _is_container(other)
        case ast.Call(func=function, keywords=keywords):
            if _name(function) == "field":
                made = [word.value for word in keywords if word.arg == "default_factory"]
                return any(_name(each) in KINDS or isinstance(each, ast.Lambda) for each in made)
            return _name(function) in KINDS
    return False


def _has_members(value: ast.expr) -> bool:
    match value:
        case ast.Dict(keys=members) | ast.List(elts=members) | ast.Set(elts=members):
            return bool(members)
        case ast.Call(args=arguments, keywords=keywords):
            return bool(arguments or keywords)
    return True


def _is_cache(decorator: ast.expr) -> bool:
    return _name(decorator.func if isinstance(decorator, ast.Call) else decorator) in CACHES


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return _name(value)
    return ""
