"""The notebooks run from their first cell to their last, at small size, and nothing of a run is stored in them."""

import ast
import os
import re
from operator import attrgetter
from pathlib import Path

import jupytext
import nbclient
import pytest

import jaxscale as js

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))
SMALL = {"replicates": "100"}


@pytest.fixture
def at_the_desk(tmp_path, monkeypatch):
    """Run kernels in an empty folder, with the programs that the tests compile for one another."""
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", os.environ["JAXSCALE_TESTS_COMPILED"])
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    monkeypatch.chdir(tmp_path)


def code_of(path):
    return [cell for cell in jupytext.read(path).cells if cell.cell_type == "code"]


def parameters_of(notebook):
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    return cell


def run(path, changes):
    """Return the executed notebook of a source, with other values in its cell of parameters."""
    notebook = jupytext.read(path)
    cell = parameters_of(notebook)
    for name, value in changes.items():
        cell.source, count = re.subn(
            f"^{name} = .*$", lambda _, line=f"{name} = {value}": line, cell.source, flags=re.M
        )
        assert count == 1, name
    return nbclient.NotebookClient(notebook, timeout=300).execute()


def shown(notebook):
    """Return how many figures, and all text, a run has put out."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    figures = sum("image/png" in output.get("data", ()) for output in outputs)
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return figures, "\n".join(texts)


def test_there_are_four():
    assert [path.stem for path in NOTEBOOKS] == ["chinchilla", "own_law", "pilot", "tracker"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("name", "drawn"), [("own_law", 1), ("pilot", 3)])
def test_a_notebook_on_the_table_that_ships_runs(at_the_desk, name, drawn):
    figures, text = shown(run(FOLDER / f"{name}.py", SMALL))
    assert figures == drawn
    assert "converged on" in text


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_replication_reaches_the_minimum_that_is_known(at_the_desk, shared_data):
    where_the_tests_have_it = f"js.read_runs({str(shared_data / 'epoch_chinchilla.csv')!r})"
    figures, text = shown(run(FOLDER / "chinchilla.py", {**SMALL, "table": where_the_tests_have_it}))
    assert figures == 2
    assert "240 of 245 runs" in text
    assert "huber 0.001018274018" in text
    assert all(word in text for word in ("envelope", "isoflop", "parametric"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_trackers_export_becomes_a_page_in_twelve_cells(at_the_desk, tmp_path):
    notebook = run(FOLDER / "tracker.py", SMALL)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    figures, text = shown(notebook)
    assert (len(code), figures) == (12, 2)
    assert "'loss': 'summary.eval/loss'" in text
    page = (tmp_path / "study.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "study.html: " in text


def test_every_argument_of_that_notebook_is_in_the_docstring_of_what_it_calls():
    tree = ast.parse("\n".join(cell.source for cell in code_of(FOLDER / "tracker.py")).replace("%matplotlib", "#"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    ours = {ast.unparse(one.func): one for one in calls if re.fullmatch(r"js(\.\w+)+", ast.unparse(one.func))}
    assert len(ours) >= 6
    for name, call in ours.items():
        called = attrgetter(name.removeprefix("js."))(js)
        for argument in (one.arg for one in call.keywords if one.arg is not None):
            assert re.search(rf"^\s+([\w, ]+, )?{argument}(, [\w, ]+)?$", called.__doc__, re.M), (name, argument)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_source_holds_prose_and_code_and_no_outputs(path):
    notebook = jupytext.read(path)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert notebook.cells[0].source.startswith("# ")
    assert "replicates = " in parameters_of(notebook).source
