"""Every command and snippet of the README runs as printed."""

import json
import subprocess
import sys
import tomllib

import numpy as np
import pytest
from readme_lines import (
    CHECKED,
    COMPARED,
    FORETOLD,
    HELD,
    LARGE,
    LAWS_AND_MORE,
    MANY,
    PLANS,
    README,
    RECIPES,
    ROOT,
    SECTIONS,
    SPECIFIED,
    TABLES,
    blocks,
    call,
    lines_of,
    run_python,
)

import jaxscale as js
from jaxscale import errors


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with the README's table in it."""
    folder = tmp_path_factory.mktemp("desk")
    (table,) = blocks(README, "csv")
    (folder / "runs.csv").write_text(table, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def at_the_desk(desk, monkeypatch):
    monkeypatch.chdir(desk)
    monkeypatch.setenv("JAXSCALE_CACHE_DIR", "")
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


@pytest.mark.slow
def test_the_commands_for_a_table_of_ones_own_run_as_printed(desk):
    for line in lines_of(SECTIONS["Your own table"]):
        answer = call(line)
        assert answer.exit_code == 0, (line, answer.output)
        if line == "jaxscale fit runs.csv":
            assert "jaxscale-out/chinchilla-" in answer.stdout.splitlines()[-1]
    assert (desk / "study" / "frontier.png").is_file()


def test_the_refusal_is_the_one_that_is_shown():
    (shown,) = blocks(SECTIONS["Your own table"], "console")
    command, *expected = shown.splitlines()
    answer = call(command.removeprefix("$ "))
    assert answer.exit_code == errors.RunsError.exit_code
    assert answer.stdout == ""
    assert answer.stderr.splitlines() == expected


@pytest.mark.slow
def test_the_python_interface_runs_and_what_it_saves_comes_back():
    names = run_python("The Python interface")
    assert names["front"].params.shape == (4000, 9)
    np.testing.assert_array_equal(names["again"].ensemble.coefs["alpha"], names["study"].ensemble.coefs["alpha"])
    assert (names["again"].level, names["again"].budgets) == (0.90, (1e22, 1e24))


@pytest.mark.slow
def test_the_recipes_are_compared_as_it_says(desk):
    pair = run_python(RECIPES)["found"].pairs[0]
    assert ((pair.multiplier_band.lower < 0.7) & (pair.multiplier_band.upper > 0.7)).all()
    (line,) = lines_of(SECTIONS[RECIPES])
    answer = call(line)
    assert answer.exit_code == 0, answer.output
    assert (desk / "recipes.png").is_file()


@pytest.mark.slow
def test_the_tables_are_there_and_a_notebook_opens(desk):
    assert len(run_python(TABLES)["pilot"]) == 59
    (line,) = lines_of(SECTIONS[TABLES])
    *words, source = line.removeprefix("uv run --group notebooks jupytext ").split()
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["notebooks"]
    to = ["--output", str(desk / "opened.ipynb"), str(ROOT / source)]
    typed = [sys.executable, "-X", "utf8", "-m", "jupytext", *words, *to]  # it reads and prints as the locale says
    subprocess.run(typed, check=True, capture_output=True, timeout=60)
    assert json.loads((desk / "opened.ipynb").read_text(encoding="utf-8"))["cells"]


@pytest.mark.slow
def test_the_law_of_ones_own_is_the_shipped_one_on_the_real_line():
    fit = run_python("A law of your own")["fit"]
    shipped = js.fit(js.read_runs("runs.csv"), "chinchilla")
    assert fit.is_usable
    np.testing.assert_allclose(fit.value, shipped.value, rtol=1e-8)  # the same minimum, to where Newton's steps end
    np.testing.assert_allclose(np.exp(fit.coefs["a"]), shipped.coefs["A"], rtol=1e-4)  # flat: values agree to 1e-8


@pytest.mark.slow
def test_the_lines_about_laws_constants_and_conventions_run_as_printed():
    for line in lines_of(SECTIONS[LAWS_AND_MORE]):
        answer = call(line)
        assert answer.exit_code == 0, (line, answer.output)
    assert run_python(LAWS_AND_MORE)["gpt3"].params("nonembedding") == 12 * 96 * 12288**2


@pytest.mark.slow
def test_the_lines_about_plans_run_as_printed(desk):
    for line in lines_of(SECTIONS[PLANS]):
        if line.startswith("printf "):
            subprocess.run(line, shell=True, check=True, timeout=10)
            continue
        answer = call(line)
        assert answer.exit_code == 0, (line, answer.output)
    assert (desk / "plan.png").is_file()
    assert (desk / "design.png").is_file()
    names = run_python(PLANS)
    assert "serving-memory at most" in names["best"].limits
    assert len(names["design"].rows) > 0
    assert names["decision"].regrets["7B"].params == pytest.approx(7e9)


def test_the_line_about_phases_runs_as_printed(desk):
    (line,) = lines_of(SECTIONS[CHECKED])
    answer = call(line)
    assert answer.exit_code == 0, answer.output
    assert "phase" in answer.output
    assert (desk / "check.png").is_file()


@pytest.mark.slow
def test_the_lines_about_several_laws_run_as_printed(desk):
    for line in lines_of(SECTIONS[COMPARED]):
        answer = call(line)
        assert answer.exit_code == 0, (line, answer.output)
    assert (desk / "laws").is_dir()
    names = run_python(COMPARED)
    found = names["found"]
    assert found.failed == {}
    assert sum(found.weights) == pytest.approx(1.0)
    assert names["decision"].laws == tuple(one.law for one in found.scores)


@pytest.mark.slow
def test_a_large_study_is_begun_divided_merged_and_gone_on_with_as_printed(desk, monkeypatch):
    """With fewer replicates than printed, in smaller parts."""
    monkeypatch.setattr(js.parts.limits, "MOST", 256)
    for line in lines_of(SECTIONS[LARGE]):
        answer = call(line.replace("1e5", "4e2"))
        assert answer.exit_code == 0, (line, answer.output)
    assert js.parts.inventory(desk / "large").is_whole
    names = run_python(LARGE)
    assert (len(names["begun"]), len(names["ensemble"])) == (0, 4000)


@pytest.mark.slow
def test_the_lines_about_many_tables_run_as_printed(desk):
    for line in lines_of(SECTIONS[MANY]):
        answer = call(line)
        assert answer.exit_code == 0, (line, answer.output)
    many = run_python(MANY)["many"]
    assert many.counts == {"converged": 4}
    again = js.store.load_studies(desk / "many")
    assert all(again[key].fit.coefs == many[key].fit.coefs for key in many)


@pytest.mark.slow
def test_the_lines_about_coverage_run_as_printed():
    (line,) = lines_of(SECTIONS[HELD])
    answer = call(line)
    assert answer.exit_code == 0, answer.output
    assert "held %" in answer.output
    found = run_python(HELD)["found"]
    assert {one.interval for one in found.held} == {"percentile", "basic"}


@pytest.mark.slow
def test_the_lines_about_specifications_run_as_printed(desk):
    (line,) = lines_of(SECTIONS[SPECIFIED])
    answer = call(line)
    assert answer.exit_code == 0, answer.output
    assert (desk / "curve.png").is_file()
    curve = run_python(SPECIFIED)["curve"]
    assert {one.status for one in curve.fits} <= {"converged", "at_bound"}
    assert sum(curve.decomposition("loss").shares.values()) == pytest.approx(1.0)


@pytest.mark.slow
def test_the_lines_about_forecasts_run_as_printed(desk):
    for line in lines_of(SECTIONS[FORETOLD]):
        answer = call(line)
        assert answer.exit_code == 0, (line, answer.output)
    assert (desk / "forecast.json").is_file()
    assert "3 within the 95 % band of a new run" in " ".join(answer.output.split())
