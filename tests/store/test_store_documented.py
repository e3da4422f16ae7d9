"""The page of what a saved study holds: every array of one is on it, with its type and shape."""

import re
from pathlib import Path

import numpy as np
import pytest
from handmade import ensemble_of, fit_of, frontier_of

import jaxscale as js

PAGE = (Path(js.__file__).parents[1] / "docs" / "saved-studies.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (`[^|]+) \| (\w+) \| \(([^|]*)\) \|", re.MULTILINE)
SIZES = {"n": 30, "p": 5, "R": 40, "b": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    names = np.array([f"run-{at}" for at in range(30)], dtype=object)
    fit = fit_of(rows=30, run=names, group=names, sigma=np.full(30, 0.1))
    ensemble = ensemble_of(fit, replicates=40)
    study = js.Study(fit, ensemble, frontier_of(fit, ensemble, flops=np.geomspace(1e20, 1e22, 3)))
    return js.save(tmp_path_factory.mktemp("saved") / "study", study)


def documented():
    """Return name on the page → type and shape."""
    found = {}
    for names, kind, shape in ROW.findall(PAGE):
        found |= dict.fromkeys(re.findall(r"`([^`]+)`", names), (kind, shape))
    return found


def on_the_page(name):
    """Return the name under which the page has an array: numbers are I."""
    name = re.sub(r"\.\d+(?=\.|$)", ".I", name).replace("fit.runs.group.", "fit.runs.labels.I.")
    return re.sub(r"at_point\.\w+", "at_point.params", name)


def test_every_array_is_on_the_page_with_its_type_and_shape(folder):
    known = documented()
    assert len(known) > 15
    with np.load(folder / "arrays.npz") as arrays:
        for name in arrays.files:
            kind, shape = known[on_the_page(name)]
            assert arrays[name].dtype == np.dtype(kind), name
            expected = [SIZES.get(one.strip()) for one in shape.split(",") if one.strip()]
            if None not in expected:
                assert list(arrays[name].shape) == expected, name


def test_the_program_on_the_page_reads_the_draws(folder, tmp_path, monkeypatch, capsys):
    block = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL).group(1)
    folder.parent.joinpath("runs-study").symlink_to(folder)
    monkeypatch.chdir(folder.parent)
    exec(compile(block, "saved-studies.md", "exec"), {})
    band = js.load(folder).ensemble.interval("alpha")
    numbers = [float(one) for one in re.findall(r"\d+\.\d+", capsys.readouterr().out)]
    np.testing.assert_allclose(numbers, [band.lower, band.upper], rtol=1e-6)
