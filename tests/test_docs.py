"""The pages in docs/ and CONTRIBUTING.md: every path, function and name that they mention is there."""

import ast
import re
from pathlib import Path

import pytest

import jaxscale as js

ROOT = Path(js.__file__).parents[1]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]
GLOSSARY = ROOT / "docs" / "glossary.md"


def defined():
    """Return the names of all classes and functions of the package, and of the attributes of its classes."""
    names = set()
    for path in (ROOT / "jaxscale").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                names.add(node.name)
            if isinstance(node, ast.ClassDef):
                inside = [one.target.id for one in node.body if isinstance(one, ast.AnnAssign)]
                inside += [one.name for one in node.body if isinstance(one, ast.FunctionDef)]
                names |= {f"{node.name}.{one}" for one in inside}
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_and_link_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    links = [page.parent / found for found in re.findall(r"\]\(([^)#:]+)\)", text)]
    named = [one for one in re.findall(r"`([\w/.-]+)`", text) if "/" in one or one.endswith(".py")]
    assert links or named
    missing = [str(link) for link in links if not link.exists()]
    missing += [one for one in named if not any((base / one).exists() for base in (ROOT, ROOT / "jaxscale"))]
    assert missing == []


def test_every_name_in_the_glossary_is_in_the_package():
    named = re.findall(r"\(`([\w.]+)`\)", GLOSSARY.read_text(encoding="utf-8"))
    assert len(named) > 15
    assert set(named) - defined() == set()


def test_every_start_of_a_function_that_the_map_names_is_in_its_file():
    """ "`judge` in `jaxscale/solvers/loop.py`": the file defines it."""
    text = (ROOT / "docs" / "how-it-fits.md").read_text(encoding="utf-8")
    pairs = re.findall(r"`(\w+)` in `([\w/]+\.py)`", text)
    assert pairs
    for name, path in pairs:
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_every_test_file_that_the_check_names_is_there():
    """`.ci/run` names files for another Python in the braces of a shell."""
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^newer=\((.*?)^\)", text, re.MULTILINE | re.DOTALL)
    missing = []
    for word in listed.split():
        before, inside, after = re.fullmatch(r"([^{]*)(?:\{([^}]*)\})?(.*)", word).groups()
        named = [f"{before}{one}{after}" for one in (inside or "").split(",")]
        missing += [one for one in named if not (ROOT / one).exists()]
    assert not missing
