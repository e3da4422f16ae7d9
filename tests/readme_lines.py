"""The lines and blocks of the README by section, and what runs them."""

import re
import shlex
import subprocess
from pathlib import Path

from click.testing import CliRunner

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
LARGE = "Large studies"
MANY = "Many tables"
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
