"""The map of the program (`qwen_tui/README.md`) names what there is: no path and no name in it is stale."""

import ast
import re

from readmes import FENCED, PACKAGE, ROOT, in_backticks, is_path

MAP = (PACKAGE / "README.md").read_text(encoding="utf-8")
TEXTUALS_OWN = {"Binding", "check_action", "compose"}
PLACEHOLDERS = {"area.verb", "command.NAME"}


def inside(node: ast.AST) -> set[str]:
    """What is defined in a class: methods, fields, nested classes, and what `__init__` gives it."""
    names = {
        each.name
        for each in ast.walk(node)
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    for each in ast.walk(node):
        if isinstance(each, ast.Name | ast.Attribute) and isinstance(each.ctx, ast.Store):
            names.add(each.id if isinstance(each, ast.Name) else each.attr)
    return names


def defined() -> set[str]:
    """Every name of the program, `Class.member` for what is in a class, and every word that is a string in it."""
    names: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.ClassDef(name=name):
                    names |= {name, *(f"{name}.{member}" for member in inside(node))}
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    names.add(name)
                case ast.Name(id=name, ctx=ast.Store()):
                    names.add(name)
                case ast.Constant(value=str(text)):
                    names.add(text)
    return names


def in_the_tree() -> list[str]:
    """The paths that the drawn tree shows, rooms with a slash behind them."""
    paths, above = [], []
    tree = next(block for block in FENCED.findall(MAP) if "├──" in block)
    for line in tree.splitlines():
        drawn = re.match(r"([│ ]*)[├└]── (\S+)", line)
        if drawn:
            above[len(drawn[1]) // 4 :] = [drawn[2]]
            paths.append("".join(above))
    return paths


def named() -> set[str]:
    """What stands in backticks in the text of the map."""
    return in_backticks(MAP) - TEXTUALS_OWN - PLACEHOLDERS


def test_every_path_in_the_map_exists() -> None:
    paths = {name for name in named() if is_path(name)}
    assert len(paths) > 40
    assert {
        path for path in paths if not any((folder / path).exists() for folder in (ROOT, PACKAGE))
    } == set()


def test_every_name_in_the_map_exists() -> None:
    names = {name for name in named() if not is_path(name)}
    assert len(names) > 80
    assert names - defined() == set()


def test_the_tree_in_the_map_is_the_tree_on_the_disk() -> None:
    assert [path for path in in_the_tree() if not (PACKAGE / path).exists()] == []


def test_every_room_is_in_the_map() -> None:
    parents = (PACKAGE, PACKAGE / "ui", PACKAGE / "engine", PACKAGE / "engine" / "local")
    rooms = [folder.parent for parent in parents for folder in parent.glob("*/__init__.py")]
    assert {f"{room.relative_to(PACKAGE).as_posix()}/" for room in rooms} - set(in_the_tree()) == set()


def test_the_order_of_imports_in_the_map_is_that_of_the_contract() -> None:
    layers = re.search(
        r"^layers = \[(.*)\]$", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert layers is not None
    order = [layer.replace(" : ", ", ") for layer in re.findall(r'"(.+?)"', layers[1])]
    assert " > ".join(order) in MAP
