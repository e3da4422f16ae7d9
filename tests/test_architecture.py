"""The layers of jaxscale, held against the code: imports point down and lead nowhere back, peers are blind.

Files stay small but are no crumbs, and a public name is defined once.
"""

import ast
import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1] / "jaxscale"
ROWS = "errors finding codes forks meant names registry text digits precision provenance speaking stages status"
ROWS += " stopping; numerics expressions"
ROWS += "; runs laws objectives resampling intervals costs counting schedules; results kernels solvers; engine"
ROWS += (
    "; fitting allocation refitting"
    "; planning designing studying approaches forecasting diagnosing comparing covering specifying checking"
)
ROWS += "; figures reports store parts datasets webpages; cli"
LAYER = {name: level for level, row in enumerate(ROWS.split(";")) for name in row.split()}
PEERS, BLIND = ("laws", "objectives", "resampling", "costs"), ("solvers", "numerics", "kernels")
NO_JAX = ("runs", "costs", "counting", "schedules", "results", "intervals", "figures", "reports", "store", "datasets")
LIGHT = {None, "errors", "meant", "names", "registry", "speaking", "stopping", "text", "expressions", "cli"}
SETS_JAX = "engine/caching.py"
"""The one file that changes settings of JAX, where the user asks for it."""
HEAVY = ("jax", "numpy", "pandas", "matplotlib")
SMALLEST, ONE_FILE_EACH = 30, ("laws", "figures", "cli")
EXTENDED = {"loss", "starts", "draw", "compose", "rho", "limits"}
"""What each law, scheme, figure, objective or interval defines under the same name."""

# Names that break the rule of one definition still: who mends one takes it off the list.
TWICE = {"load"}


def imports(tree, known=()):
    """Yield (module, whether it is executed, whether at module level) for every import of a file.

    A name that is itself a known module stands for that.
    """
    typed = [t for t in ast.walk(tree) if isinstance(t, ast.If) and "TYPE_CHECKING" in ast.dump(t.test)]
    idle = {id(n) for t in typed for n in ast.walk(t)}
    late = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                full = [f"{node.module}.{name}" for name in names]
                names = [one if node.module == "jaxscale" or one in known else node.module or "" for one in full]
            yield from ((name, id(node) not in idle, id(node) not in late) for name in names)


def faults(root):
    """Return every sentence in which the code under root breaks the table."""
    found = []
    for path in sorted(root.rglob("*.py")):
        place, text = path.relative_to(root), path.read_text(encoding="utf-8")
        own, tree = place.parts[0].removesuffix(".py"), ast.parse(text)
        if len(text.splitlines()) > 300 or path.stem in ("utils", "helpers", "common"):
            found.append(f"{place}: more than 300 lines, or a name that says nothing")
        found += [f"{place}: has no layer"] if own not in LAYER and own != "__init__" else []
        for module, runs, at_top in imports(tree):
            top, *rest = module.split(".")
            other = rest[0] if top == "jaxscale" and rest else None
            rules = {
                "imports upwards": runs and LAYER.get(other, 0) > LAYER.get(own, 9),
                "peers import each other": own in PEERS and other in PEERS and other != own,
                "imports jax": own in NO_JAX and top in ("jax", "jaxlib"),
                "imports matplotlib": own != "figures" and top == "matplotlib",
                "imports pandas": runs and own not in ("runs", "results") and top == "pandas",
                "is heavy": own == "cli" and runs and at_top and (top in HEAVY or other not in LIGHT),
                "knows of kernels": own in ("solvers", "numerics") and other == "kernels",
                "knows the domain": own in BLIND and other in ("laws", "runs", "objectives"),
            }
            found += [f"{place}: {rule} ({module})" for rule, broken in rules.items() if broken]
        for node in ast.walk(tree):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called.endswith("config.update") and place.as_posix() != SETS_JAX:
                found.append(f"{place}: changes jax.config")
            words = {str(getattr(node, field, "")) for field in ("id", "attr", "arg", "name")}
            if own in BLIND and {"loss", "losses", "token", "tokens"} & set("_".join(words).lower().split("_")):
                found.append(f"{place}: speaks of {' '.join(words).strip()}")
    return found


class Module(NamedTuple):
    path: Path
    tree: ast.Module
    lines: int


def modules(root):
    """Return name → module."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts, text = path.relative_to(root.parent).with_suffix("").parts, path.read_text(encoding="utf-8")
        found[".".join(parts).removesuffix(".__init__")] = Module(path, ast.parse(text), len(text.splitlines()))
    return found


def importers(found):
    """Return name → the modules that import it, inside functions too, but not for types alone."""
    by = {name: set() for name in found}
    for name, module in found.items():
        for other, runs, _ in imports(module.tree, found):
            if runs and other in found:
                by[other].add(name)
    return by


def circles(found):
    """Return the sets of modules whose imports lead back to themselves, in the order of their names."""
    by = importers(found)

    def above(name):
        seen, left = set(), [name]
        while left:
            new = by[left.pop()] - seen
            seen |= new
            left += new
        return seen

    reached = {name: above(name) for name in by}
    sets = [{other for other in reached[one] if one in reached[other]} for one in sorted(by) if one in reached[one]]
    return [circle for at, circle in enumerate(sets) if circle not in sets[:at]]


def twice(found):
    """Return the public functions and classes that several files define; laws count as one, and no command counts."""
    defined = {}
    for name, module in found.items():
        folder = name.split(".")[1:2]
        for node in (one for one in module.tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)):
            is_command = folder == ["cli"] and module.path.stem == node.name
            if not (node.name.startswith("_") or is_command):
                defined.setdefault(node.name, set()).add("laws" if folder == ["laws"] else name)
    return {name for name, by in defined.items() if len(by) > 1 and name not in EXTENDED}


def crumbs(found):
    """Return the files of a few lines that one other file imports."""
    by = importers(found)
    small = [name for name, one in found.items() if one.lines < SMALLEST and one.path.stem != "__init__"]
    return {name.partition(".")[2] for name in small if name.split(".")[1] not in ONE_FILE_EACH and len(by[name]) == 1}


@pytest.fixture(scope="module")
def package():
    return modules(ROOT)


def test_the_code_keeps_to_its_layers():
    assert faults(ROOT) == []


def test_no_import_leads_back_to_its_file(package):
    """Late ones inside functions are counted too."""
    assert circles(package) == []


def test_a_public_name_is_defined_once(package):
    assert twice(package) == TWICE


def test_a_file_of_a_few_lines_has_more_than_one_importer(package):
    assert crumbs(package) == set()


BAD = {
    "solvers/a.py": "from jaxscale.laws import Law", "runs/b.py": "import jax.numpy", "fitting/utils.py": "",
    "laws/c.py": "from jaxscale.objectives import huber", "cli/d.py": "import numpy", "store/e.py": "import pandas",
    "engine/f.py": "jax.config.update('jax_enable_x64', True)", "errors.py": "from jaxscale import status, fitting",
    "numerics/g.py": "def fall(loss): return loss", "cli/h.py": "from jaxscale import fitting", "new/i.py": "",
    "solvers/l.py": "from jaxscale.kernels import choose", "kernels/m.py": "from jaxscale.objectives import huber",
    "fitting/j.py": "import matplotlib.pyplot", "fitting/k.py": "\n" * 301,
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_the_checker_finds_a_file_that_breaks_the_table(tmp_path, name):
    for path, text in {name: BAD[name], "cli/fine.py": "def run():\n    import numpy, jaxscale.fitting"}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    assert faults(tmp_path)
    assert all(fault.startswith(name) for fault in faults(tmp_path))


def written(folder, files):
    """Write a package of these files and return its modules."""
    for path, text in files.items():
        (folder / "jaxscale" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "jaxscale" / path).write_text(text)
    return modules(folder / "jaxscale")


@pytest.mark.parametrize(
    "late", ["import jaxscale.runs.a", "from jaxscale.runs import a", "from jaxscale.runs.a import f"]
)
def test_the_checker_finds_a_circle_that_a_late_import_closes(tmp_path, late):
    files = {"runs/a.py": "from jaxscale.runs import b", "runs/b.py": f"def f():\n    {late}"}
    files["runs/c.py"] = "from jaxscale.runs import b"
    assert circles(written(tmp_path, files)) == [{"jaxscale.runs.a", "jaxscale.runs.b"}]
    for_types = "if TYPE_CHECKING:\n    from jaxscale.runs.a import f"
    assert circles(written(tmp_path, {"runs/b.py": for_types})) == []


def test_the_checker_finds_a_name_that_two_files_define(tmp_path):
    files = {
        "runs/a.py": "def fit(): ...\ndef loss(): ...\ndef _own(): ...",
        "store/b.py": "class fit: ...\ndef loss(): ...",
    }
    files |= {"cli/plot.py": "def plot(): ...", "figures/c.py": "def plot(): ...\ndef _own(): ..."}
    files |= {"laws/d.py": "def share(): ...", "laws/e.py": "def share(): ..."}
    assert twice(written(tmp_path, files)) == {"fit"}


def test_the_checker_finds_a_small_file_for_one_other(tmp_path):
    small, long = "x = 1", "from jaxscale.runs import small\nfrom jaxscale.laws import one" + "\n" * 30
    files = {"runs/small.py": small, "laws/one.py": small, "runs/a.py": long, "runs/b.py": long}
    assert crumbs(written(tmp_path, files)) == set()
    assert crumbs(written(tmp_path, {"runs/b.py": "\n" * 30})) == {"runs.small"}


def test_the_table_in_the_docs_is_the_one_that_is_held():
    text = (ROOT.parent / "docs" / "how-it-fits.md").read_text(encoding="utf-8")
    rows = [line.split("|")[2] for line in text.splitlines() if re.match(r"\| \d \|", line)]
    named = [[name.removesuffix(".py") for name in re.findall(r"`([^`]+)`", row)] for row in rows]
    assert sorted(name for row in named for name in row) == sorted(LAYER)
    written = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert [name for name in written if not (ROOT / name).exists()] == []
    levels = [[LAYER[name] for name in row] for row in reversed(named)]
    assert all(max(lower) < min(upper) for lower, upper in pairwise(levels))
