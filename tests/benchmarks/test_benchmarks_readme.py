"""The results in benchmarks/README.md are what the JSON files say, and its commands exist."""

import re
import subprocess
import sys

import click
import pytest

from benchmarks import readme, records
from benchmarks.__main__ import main

PAGE = readme.README.read_text(encoding="utf-8")


def test_the_results_are_those_of_the_json_files():
    assert readme.filled(PAGE, records.read()) == PAGE, "run: python -m benchmarks table"


def test_a_number_that_changes_in_a_json_file_changes_the_page():
    documents = records.read()
    documents[0]["results"][0]["milliseconds"] *= 2
    assert readme.filled(PAGE, documents) != PAGE


def test_a_page_without_markers_is_refused():
    with pytest.raises(click.ClickException, match="lacks the two lines"):
        readme.filled("# Benchmarks", [])


def test_every_command_is_in_the_readme_and_every_one_there_exists():
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGE.partition("## `bootstrap`")[0], re.MULTILINE))
    assert listed == set(main.commands)
    for command, words in re.findall(r"^python -m benchmarks (\w+)(.*)$", PAGE, re.MULTILINE):
        known = {name for option in main.commands[command].params for name in option.opts}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", words)) <= known


def test_every_contestant_is_in_the_readme():
    from benchmarks.rivals import RIVALS

    section = PAGE.partition("## `bootstrap`")[2].partition("\n\nThe whitened")[0]
    short = section.replace("`-batched`, `-whitened`", "`optimistix-bfgs-batched`, `optimistix-bfgs-whitened`")
    assert {rival.name for rival in RIVALS} <= set(re.findall(r"`([\w-]+)`", short))


def test_the_commands_import_nothing_that_is_measured():
    """A process that has JAX in memory lends its peak to those that it starts, and `scaling` measures these."""
    line = (
        "import sys, benchmarks.__main__; sys.exit(any(name in sys.modules for name in ('jax', 'numpy', 'jaxscale')))"
    )
    assert subprocess.run([sys.executable, "-c", line], cwd=readme.README.parents[1], timeout=120).returncode == 0
