"""Every command and snippet of the README runs, and every name, option and table in it is true.

The lines `pip install -q uv && uv run …` are only read here; `.ci/run` executes them.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import jaxscale as js
from jaxscale import errors
from jaxscale.cli import outcomes
from jaxscale.cli.main import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = dict(part.partition("\n")[::2] for part in README.split("\n## ")[1:])
SET_UP = re.compile(r"pip install -q uv && uv run (\S+)((?: \S+)*)")


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def lines_of(text, language="bash"):
    return [line for block in blocks(text, language) for line in block.splitlines()]


LAWS_AND_MORE = "Laws, constants and conventions"
PLANS = "Plans within limits"
CHECKED = "Before extrapolating"
COMPARED = "Several laws"
RECIPES = "Two recipes"
SPECIFIED = "Where the band comes from"
FORETOLD = "Forecasts"
HELD = "Do the bands hold"
TABLES = "Tables that are there"


def table_of(section, header):
    """Return the cells of the rows below a header, without backticks."""
    rows = SECTIONS[section].partition(f"| {header} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def call(line):
    """Run one shell line whose last command is ours: what stands before `|` in a shell, ours in this process."""
    splitter = shlex.shlex(line, posix=True, punctuation_chars="|>")
    splitter.whitespace_split = True
    words = list(splitter)
    given = None
    if "|" in words:
        before = line.partition("|")[0]
        given = subprocess.run(before, shell=True, capture_output=True, check=True, timeout=10).stdout
        words = words[words.index("|") + 1 :]
    words, target = (words[: words.index(">")], words[words.index(">") + 1]) if ">" in words else (words, None)
    assert words[0] == "jaxscale", line
    answer = CliRunner().invoke(main, words[1:], input=given)
    if target is not None:
        Path(target).write_text(answer.stdout, encoding="utf-8")
    return answer


def run_python(section):
    """Run the section's Python blocks in order in one namespace and return it."""
    names = {"__name__": "readme"}
    for number, block in enumerate(blocks(SECTIONS[section], "python")):
        exec(compile(block, f"README.md, {section}, block {number}", "exec"), names)
    return names


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


def test_the_set_up_lines_name_commands_that_are_installed_and_ci_runs_them():
    installed = {point.name for point in entry_points(group="console_scripts")}
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    found = [SET_UP.fullmatch(line) for line in lines_of(SECTIONS["Set up"])]
    assert [match[1] for match in found] == ["jaxscale", "pytest"]
    for match in found:
        assert match[1] in installed
        assert f"{match[1]}{match[2]}" in script
    assert "pip install -q uv" in script


def test_every_other_command_is_there():
    (measure,) = lines_of(SECTIONS["Speed"])
    assert measure.startswith("python -m benchmarks ")
    words = [sys.executable, *measure.split()[1:], "--help"]
    assert subprocess.run(words, cwd=ROOT, capture_output=True, timeout=60).returncode == 0
    (check,) = lines_of(CONTRIBUTING)
    assert os.access(ROOT / check, os.X_OK)
    for name in re.findall(r"`jaxscale (\w+)", README):
        assert name in main.commands


def test_no_block_is_left_unread():
    read = {
        "Set up",
        "Your own table",
        TABLES,
        PLANS,
        FORETOLD,
        HELD,
        COMPARED,
        LAWS_AND_MORE,
        "Speed",
        RECIPES,
        SPECIFIED,
        CHECKED,
    }
    assert {name for name, text in SECTIONS.items() if blocks(text, "bash")} == read
    assert {name for name, text in SECTIONS.items() if blocks(text, "python")} == {
        "The Python interface",
        "A law of your own",
        TABLES,
        PLANS,
        HELD,
        COMPARED,
        RECIPES,
        SPECIFIED,
        LAWS_AND_MORE,
    }
    assert set(re.findall(r"^```(\w+)$", README, re.MULTILINE)) == {"bash", "console", "csv", "python"}


def test_every_option_exists():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for name in re.findall(r"uv sync --extra (\w+)", README):
        assert name in extras
    commands = (main, *main.commands.values())
    known = {name for command in commands for option in command.params for name in option.opts} | {"--help"}
    for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", re.sub(r"uv sync --extra \w+|uv run --group .*", "", README)):
        assert option in known, option


def test_every_public_name_exists():
    for path in set(re.findall(r"\bjs((?:\.\w+)+)", README)):
        found = js
        for name in path[1:].split("."):
            found = getattr(found, name)


def test_the_statuses_are_those_of_the_package():
    listed = table_of("What the numbers mean", "status")
    assert listed == [[str(one), "yes" if one.is_usable else "no", one.meaning] for one in js.Status]


def test_the_exit_codes_are_those_of_the_package():
    codes = {int(code) for code, _ in table_of("What the numbers mean", "code")}
    refusals = {kind.exit_code for kind in errors.JaxscaleError.__subclasses__()}
    assert codes == {0, outcomes.INTERNAL, outcomes.USAGE, outcomes.NOT_TRUSTWORTHY, outcomes.INTERRUPTED} | refusals


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_the_picture_is_small_and_its_caption_says_what_it_shows():
    assert (ROOT / "docs" / "frontier.png").stat().st_size < 200_000
    assert f"{len(js.datasets.load('pilot'))} runs of very small language models" in README


def test_every_ratio_of_speed_is_in_the_file_that_it_names():
    measured = json.loads((ROOT / "benchmarks" / "results" / "bootstrap-cpu.json").read_text(encoding="utf-8"))
    rows = {row["contestant"]: row for row in reversed(measured["results"])}  # of two rows of a name the first
    quoted = re.findall(r"([\d.]+) × as many", " ".join(SECTIONS["Speed"].split()))
    names = ("scipy-autograd", "scipy-centred", "optax-lbfgs", "optimistix-bfgs")
    names += ("optax-lbfgs-whitened", "optimistix-bfgs-whitened", "cpp-loop", "cpp-loop-drawn")
    rivals = [rows[name] for name in names]
    digits = [len(number.partition(".")[2]) for number in quoted]
    assert quoted == [f"{row['throughput_ratio']:.{d}f}" for row, d in zip(rivals, digits, strict=True)]
    assert (measured["machine"]["cores"], measured["options"]["rows"]) == (2, 240)
    long = json.loads((ROOT / "benchmarks" / "results" / "scaling-cpu.json").read_text(encoding="utf-8"))
    points = [row for row in long["results"] if row["axis"] == "replicates"]
    spent = {row["replicates"]: np.median(row["run_seconds"]) / row["replicates"] for row in points}
    (share,) = re.findall(r"of 100,000, each takes ([\d.]+) of the time", " ".join(SECTIONS["Speed"].split()))
    assert share == f"{spent[100_000] / spent[4000]:.2f}"
    assert all(rows["jaxscale"]["objective_mean"] <= row["objective_mean"] * (1 + 1e-12) for row in rivals)
