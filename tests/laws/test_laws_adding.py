"""Adding a law touches one new file and one line: in a copy of the package it is then listed, shown and fitted."""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import jaxscale

NEW = '''"""A loss that falls with the logarithm of size."""

import jax.numpy as jnp

from jaxscale.laws.spec import Coef, Law


def loss(params, *, E, slope):
    return E - slope * jnp.log(params)


LOGARITHMIC = Law(
    "logarithmic",
    loss,
    ("params",),
    (Coef("E", "positive", (3.0, 6.0), "loss of one param"), Coef("slope", "positive", (0.05, 0.2), "fall per e-fold")),
    equation="L = E - slope ln(N)",
    source="a notebook, arXiv none",
)

LAWS = (LOGARITHMIC,)
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package with one file more and one line more."""
    root = tmp_path_factory.mktemp("copy")
    package = root / "jaxscale"
    shutil.copytree(Path(jaxscale.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    before = {path.relative_to(package): path.read_bytes() for path in package.rglob("*") if path.is_file()}
    (package / "laws" / "logarithmic.py").write_text(NEW, encoding="utf-8")
    listed = package / "laws" / "__init__.py"
    text = listed.read_text(encoding="utf-8")
    listed.write_text(text.replace("FILES = (\n", 'FILES = (\n    "logarithmic",\n', 1), encoding="utf-8")
    after = {path.relative_to(package): path.read_bytes() for path in package.rglob("*") if path.is_file()}
    changed = [str(path) for path in after if before.get(path) != after[path]]
    assert sorted(changed) == ["laws/__init__.py", "laws/logarithmic.py"]
    assert len(listed.read_text(encoding="utf-8").splitlines()) == len(text.splitlines()) + 1
    return root


def ask(root, *words):
    """Run one command line on the copy, in a process of its own, and return its standard output."""
    is_copy = f"import jaxscale; assert jaxscale.__file__.startswith({str(root)!r})"
    code = f"{is_copy}; from jaxscale.cli.main import main; main()"
    environment = {**os.environ, "JAXSCALE_CACHE_DIR": "", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=root, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_new_law_is_shown_by_its_name(copy):
    page = " ".join(ask(copy, "laws", "logarithmic").split())
    for said in ("L = E - slope ln(N)", "loss of one param", "fall per e-fold", "a notebook"):
        assert said in page


def test_a_new_law_is_on_the_page_of_all_laws(copy):
    page = ask(copy, "laws", "--markdown")
    assert "[`logarithmic.py`](logarithmic.py): A loss that falls with the logarithm of size." in page
    assert "[logarithmic](#law-logarithmic)" in page
    assert "L = E - slope ln(N)" in page


@pytest.mark.slow
def test_a_new_law_is_fitted_from_the_command_line(copy):
    params = np.geomspace(1e7, 1e10, 12)
    rows = "\n".join(f"{size!r},{4.5 - 0.1 * math.log(size)!r}" for size in params.tolist())
    (copy / "t.csv").write_text(f"params,loss\n{rows}\n")
    found = json.loads(ask(copy, "fit", "t.csv", "--law", "logarithmic", "--replicates", "0", "--json"))
    assert found["status"] == "converged"
    assert found["coefs"] == {"E": pytest.approx(4.5, rel=1e-9), "slope": pytest.approx(0.1, rel=1e-9)}
