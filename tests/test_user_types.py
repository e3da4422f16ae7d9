"""A user's script is checked by mypy --strict: what it may call is accepted, and what it may not is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="no mypy: the types that users see are not tested")

SCRIPT = """
import numpy as np

import jaxscale as js


def answers(path: str) -> dict[str, float]:
    runs: js.Runs = js.read_runs(path, where=["loss < 4"], final=True)
    fit: js.Fit = js.fit(runs, law="chinchilla", objective=js.huber(1e-3))
    ensemble: js.Ensemble = js.bootstrap(fit, scheme="pairs", replicates=400, seed=7)
    front: js.Frontier = js.frontier(ensemble, flops=np.geomspace(1e18, 1e24, 7))
    band: js.Band = js.band(front.params, level=0.9)
    plan: js.Plan = js.plan(ensemble, flops=1e22, inference_tokens=1e12)
    loss: np.ndarray = js.predict(fit, params=[1e9, 7e9], tokens=2e12)
    study: js.Study = js.study(runs, js.LAWS["kaplan"], replicates=100, budgets=[1e21], level=0.9)
    compared: js.Comparison = js.compare(runs, ["chinchilla", "kaplan"], cuts=3)
    js.save("out", study)
    js.report(js.load("out"), "out/page.html")
    return {
        "alpha": fit.coefs["alpha"],
        "upper": float(band.upper[0]),
        "params": float(plan.point.params),
        "loss": float(loss[0]),
        "best": compared.scores[0].weight,
        "share": float(ensemble.usable.mean()),
    }
"""
WRONG = """
import jaxscale as js


def wrong(runs: js.Runs, fit: js.Fit, ensemble: js.Ensemble, study: js.Study) -> None:
    js.read_runs("runs.csv", were=["loss < 4"])  # error
    js.read_runs("runs.csv", missing="ignore")  # error
    js.fit("runs.csv")  # error
    js.bootstrap(fit, 400)  # error
    js.frontier(ensemble, budgets=[1e20])  # error
    js.band(fit)  # error
    js.plan(ensemble, flops="1e22")  # error
    js.study(runs, level="0.9")  # error
    js.save(study, "out")  # error
    js.law("chinchilla")  # error
    print(fit.coef["alpha"])  # error
    text: str = fit.value  # error
    print(text)
"""


@pytest.fixture
def check(tmp_path):
    """Return a function that checks a script as its user does, and returns the lines with an error and all output."""

    def lines_of(script):
        path = tmp_path / "script.py"
        path.write_text(script, encoding="utf-8")
        kept = Path(os.environ["JAXSCALE_TESTS_COMPILED"]) / "mypy"
        options = ["--strict", "--config-file=", "--cache-dir", str(kept), "--no-error-summary"]
        done = subprocess.run(
            [sys.executable, "-m", "mypy", *options, path.name],
            cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stderr
        errors = [line for line in done.stdout.splitlines() if ": error: " in line]
        return {int(line.split(":")[1]) for line in errors}, done.stdout

    return lines_of


@pytest.mark.slow
def test_ten_calls_of_a_script_are_clean(check):
    assert check(SCRIPT) == (set(), "")


@pytest.mark.slow
def test_a_wrong_argument_or_attribute_is_an_error_in_its_line(check):
    marked = {number for number, line in enumerate(WRONG.splitlines(), start=1) if line.endswith("# error")}
    found, output = check(WRONG)
    assert found == marked, output
