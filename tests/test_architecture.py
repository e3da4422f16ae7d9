"""The layers of jaxscale, held against the code: imports point down, peers are blind, files stay small."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "jaxscale"
ROWS = "errors finding forks registry text digits precision provenance status; numerics expressions"
ROWS += "; runs laws objectives resampling intervals costs counting schedules; results kernels solvers; engine"
ROWS += "; fitting allocation; approaches; figures reports store datasets; cli"
LAYER = {name: level for level, row in enumerate(ROWS.split(";")) for name in row.split()}
PEERS, BLIND = ("laws", "objectives", "resampling", "costs"), ("solvers", "numerics", "kernels")
NO_JAX = ("runs", "costs", "counting", "schedules", "results", "intervals", "figures", "reports", "store", "datasets")
LIGHT = {None, "errors", "registry", "text", "expressions", "cli"}
HEAVY = ("jax", "numpy", "pandas", "matplotlib")


def imports(tree):
    """Yield (module, whether it is at module level and executed) for every import of a file."""
    typed = [t for t in ast.walk(tree) if isinstance(t, ast.If) and "TYPE_CHECKING" in ast.dump(t.test)]
    idle = {id(n) for t in typed for n in ast.walk(t)}
    late = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [f"jaxscale.{name}" for name in names] if node.module == "jaxscale" else [node.module or ""]
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
                "imports pandas": runs and own not in ("runs", "reports") and top == "pandas",
                "is heavy": own == "cli" and runs and at_top and (top in HEAVY or other not in LIGHT),
                "knows of kernels": own in ("solvers", "numerics") and other == "kernels",
                "knows the domain": own in BLIND and other in ("laws", "runs", "objectives"),
            }
            found += [f"{place}: {rule} ({module})" for rule, broken in rules.items() if broken]
        for node in ast.walk(tree):
            if own != "cli" and isinstance(node, ast.Call) and ast.unparse(node.func).endswith("config.update"):
                found.append(f"{place}: changes jax.config")
            words = {str(getattr(node, field, "")) for field in ("id", "attr", "arg", "name")}
            if own in BLIND and {"loss", "losses", "token", "tokens"} & set("_".join(words).lower().split("_")):
                found.append(f"{place}: speaks of {' '.join(words).strip()}")
    return found


def test_the_code_keeps_to_its_layers():
    assert faults(ROOT) == []


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


def test_the_table_in_the_docs_is_the_one_that_is_held():
    text = (ROOT.parent / "docs" / "how-it-fits.md").read_text(encoding="utf-8")
    rows = [line.split("|")[2] for line in text.splitlines() if re.match(r"\| \d \|", line)]
    named = [[name.removesuffix(".py") for name in re.findall(r"`([^`]+)`", row)] for row in rows]
    assert sorted(name for row in named for name in row) == sorted(LAYER)
    written = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert [name for name in written if not (ROOT / name).exists()] == []
    levels = [[LAYER[name] for name in row] for row in reversed(named)]
    assert all(max(lower) < min(upper) for lower, upper in pairwise(levels))
