"""The page of warnings: complete, in order, and what the command writes."""

import ast
import re
from pathlib import Path

import jaxscale as js
from jaxscale.codes import warning_codes, warnings_markdown

PACKAGE = Path(js.__file__).parent
PAGE = PACKAGE.parent / "docs" / "warnings.md"
KEBAB = re.compile(r"[a-z]+(-[a-z]+)*")
GIVEN_ELSEWHERE = {"_largest", "Finding"}
"""Functions whose first argument is a code."""


def given():
    """Return every code that the package gives: first arguments of `Finding`, followed through names of constants."""
    constants, firsts, dictionaries = {}, set(), set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            targets = node.targets if isinstance(node, ast.Assign) else []
            value = getattr(node, "value", None)
            for target in targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                values = value.elts if isinstance(value, ast.Tuple) and isinstance(target, ast.Tuple) else [value]
                for name, one in zip(names, values, strict=False):
                    if isinstance(name, ast.Name) and isinstance(one, ast.Constant):
                        constants.setdefault(name.id, set()).add(one.value)
            if isinstance(node, ast.AnnAssign) and isinstance(value, ast.Dict) and ast.unparse(node.target) == "CODES":
                dictionaries |= {one.value for one in value.values}
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in GIVEN_ELSEWHERE:
                firsts.add(node.args[0])
    found = {one.value for one in firsts if isinstance(one, ast.Constant)} | dictionaries
    for one in firsts:
        if isinstance(one, ast.Name):
            found |= constants.get(one.id, set())
    return {one for one in found if isinstance(one, str) and KEBAB.fullmatch(one)}


def test_every_code_of_the_package_is_on_the_page_and_no_other():
    assert given() == {one.name for one in warning_codes()}


def test_codes_are_in_order_and_say_something():
    names = [one.name for one in warning_codes()]
    assert names == sorted(set(names))
    for one in warning_codes():
        assert one.meaning.endswith(".")
        assert one.remedy.endswith(".")


def test_the_page_is_what_the_command_writes():
    assert PAGE.read_text(encoding="utf-8") == warnings_markdown(), "jaxscale laws --warnings > docs/warnings.md"
