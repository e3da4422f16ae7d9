"""Every name, option and table of the README is true.

The lines `pip install -q uv && uv run …` are only read here; `.ci/run` executes them.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points

import numpy as np
from readme_lines import (
    CHECKED,
    COMPARED,
    CONTRIBUTING,
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
    SET_UP,
    SPECIFIED,
    TABLES,
    blocks,
    lines_of,
    table_of,
)

import jaxscale as js
from jaxscale import errors
from jaxscale.cli import outcomes
from jaxscale.cli.main import main


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
    check, build = lines_of(CONTRIBUTING)
    assert os.access(ROOT / check, os.X_OK)
    assert [build] == lines_of(SECTIONS["Contributing"])
    assert build.startswith("uv run --group docs sphinx-build -W docs ")
    assert "--group docs sphinx-build -W docs " in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
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
        LARGE,
        MANY,
        COMPARED,
        LAWS_AND_MORE,
        "Speed",
        RECIPES,
        SPECIFIED,
        CHECKED,
        "Contributing",
    }
    assert {name for name, text in SECTIONS.items() if blocks(text, "bash")} == read
    assert {name for name, text in SECTIONS.items() if blocks(text, "python")} == {
        "The Python interface",
        "A law of your own",
        TABLES,
        PLANS,
        HELD,
        LARGE,
        MANY,
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
        found, names = js, path[1:].split(".")
        assert names[0] in js.__all__, path  # a submodule that is not is there only after something has imported it
        for name in names:
            found = getattr(found, name)


def test_the_statuses_are_those_of_the_package():
    listed = table_of("What the numbers mean", "status")
    assert listed == [[str(one), "yes" if one.is_usable else "no", one.meaning] for one in js.Status]


def test_the_exit_codes_are_those_of_the_package():
    codes = {int(code) for code, _ in table_of("What the numbers mean", "code")}
    refusals = {kind.exit_code for kind in errors.JaxscaleError.__subclasses__()}
    assert codes == {0, outcomes.INTERNAL, outcomes.USAGE, outcomes.NOT_TRUSTWORTHY, 128 + signal.SIGINT} | refusals


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target


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
    by_rows = {row["rows"]: row for row in long["results"] if row["axis"] == "rows"}
    told = re.findall(r"([\d.]+) s for ([\d,]+) rows", " ".join(SECTIONS["Speed"].split()))
    assert told == [(f"{np.median(row['run_seconds']):.1f}", f"{count:,}") for count, row in by_rows.items()]
    assert [row["replicates"] for row in by_rows.values()] == [4000] * 4 + [400]
    compiling = [row["compile_seconds"] for row in by_rows.values()]
    assert (f"{min(compiling):.0f}", f"{max(compiling):.0f}") == ("5", "8")
    assert all(rows["jaxscale"]["objective_mean"] <= row["objective_mean"] * (1 + 1e-12) for row in rivals)
