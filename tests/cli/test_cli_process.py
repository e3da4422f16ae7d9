"""The command as a process of its own: streams, pipes, colours and the compile cache."""

import json
import os
import shlex
import shutil
import subprocess
import sys

import pytest
from documents import assert_kept

from jaxscale.engine.caching import leaf_name
from jaxscale.store import load

PROGRAM = [sys.executable, "-c", "from jaxscale.cli.main import main; main()"]
QUICK = ["fit", "--replicates", "20", "--law", "pure-power", "--flops", "1e12"]


def slow(*words):
    """Return words of a command line that are left to the slow tests: each starts a process."""
    return pytest.param(list(words), marks=pytest.mark.slow)


@pytest.fixture
def start(own_folder, cache_folder):
    """Return a function that runs the program in a process, with a compile cache that these tests share."""

    def run(words, **given):
        environment = {**os.environ, "JAXSCALE_CACHE_DIR": str(cache_folder), **given}
        return subprocess.run([*PROGRAM, *words], capture_output=True, encoding="utf-8", timeout=120, env=environment)

    return run


@pytest.fixture
def shell(own_folder, cache_folder):
    """Return a function that runs a line of the shell, with the program and its words in place of {}."""
    if not (os.path.exists("/dev/full") and shutil.which("bash")):
        pytest.skip("no /dev/full or no bash here")

    def run(line, words):
        environment = {**os.environ, "JAXSCALE_CACHE_DIR": str(cache_folder)}
        typed = ["bash", "-c", line.format(shlex.join([*PROGRAM, *words]))]
        return subprocess.run(typed, capture_output=True, encoding="utf-8", timeout=120, env=environment, check=False)

    return run


def test_stdout_is_one_json_document_and_nothing_else(start, cache_folder):
    ended = start([*QUICK, "--json", "-v"])
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["law"] == "pure-power"
    assert ended.stdout.isascii()
    assert ended.stderr.splitlines() == [f"compile cache: {cache_folder / leaf_name()}"]
    assert cache_folder.stat().st_mode & 0o777 == 0o700


def test_a_reader_that_goes_away_ends_the_output_quietly(own_folder, cache_folder):
    environment = {**os.environ, "JAXSCALE_CACHE_DIR": str(cache_folder)}
    running = subprocess.Popen(
        [*PROGRAM, "laws"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=environment
    )
    running.stdout.close()
    said = running.stderr.read()
    running.stderr.close()
    assert running.wait(60) == 0
    assert said == ""


@pytest.mark.parametrize("words", [["--help"], slow("fit", "--help"), ["laws"], slow("laws", "kaplan", "--json")])
@pytest.mark.parametrize("how", ["{} | true", "{} 2>&1 | head -n 1 > /dev/null"])
def test_a_reader_that_leaves_early_is_no_failure(shell, words, how):
    ended = shell("set -o pipefail; " + how, words)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    "words", [["--help"], slow("--version"), ["laws"], slow("laws", "kaplan", "--json"), slow("doctor")]
)
@pytest.mark.parametrize(
    ("how", "reason"), [("> /dev/full", "No space left on device"), ("1< /dev/null", "Bad file descriptor")]
)
def test_a_result_that_a_full_disk_takes_no_more_of_is_a_plain_message(shell, words, how, reason):
    ended = shell("{} " + how, words)
    assert ended.returncode == 6
    assert ended.stderr.startswith(f"standard output: the result could not be written ({reason})")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("how", "form", "reason"),
    [("> /dev/full", [], "No space left"), (">&-", ["--json"], "it is closed")],
)
def test_a_fit_whose_page_could_not_be_written_says_where_its_results_are(shell, own_folder, how, form, reason):
    ended = shell("{} " + how, [*QUICK, "--out", "kept", *form])
    assert ended.returncode == 6
    first, second = ended.stderr.splitlines()
    assert reason in first
    assert second == "the results are in kept"
    assert load(own_folder / "kept").fit.is_usable


@pytest.mark.parametrize(
    "how", ["2> /dev/full", *(pytest.param(how, marks=pytest.mark.slow) for how in ("2>&-", "2>&- <&-"))]
)
def test_messages_that_cannot_be_written_change_no_exit_code(shell, how):
    assert shell("{} " + how, ["fit", "nosuch.csv"]).returncode == 3
    assert shell("{} " + how, ["laws", "nosuch"]).returncode == 2
    found = shell("{} " + how, ["laws", "kaplan", "--json"])
    assert found.returncode == 0
    assert json.loads(found.stdout)["name"] == "kaplan"


def test_a_closed_stream_gives_its_number_to_no_file():
    """What is written to a standard stream by number would end up in that file."""
    code = (
        "import os, sys; os.close(1); os.close(2)\n"
        "from jaxscale.cli.printing import occupy\n"
        "occupy()\n"
        "sys.exit(os.open(os.devnull, os.O_RDONLY))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode > 2


def test_a_file_that_outgrows_its_limit_is_a_plain_message_and_leaves_nothing(shell, own_folder):
    ended = shell("(ulimit -f 1; {} 2>&1) | cat", [*QUICK, "--out", "kept"])
    assert "kept: the result could not be written (File too large)" in ended.stdout
    assert not list(own_folder.iterdir())


def test_a_current_folder_that_is_gone_is_a_plain_message(shell):
    ended = shell("mkdir gone && cd gone && rmdir ../gone && {}", [*QUICK, "--out", "kept"])
    assert ended.returncode == 6
    assert "No such file or directory" in ended.stderr


@pytest.mark.parametrize("columns", ["", "0", "-3", "wide", "80"])
def test_a_width_that_cannot_be_meant_asks_for_nothing(start, columns):
    assert start(["laws", "kaplan"], COLUMNS=columns).returncode == 0


def test_forced_colours_follow_no_color(start):
    coloured = start(["laws", "kaplan"], FORCE_COLOR="1", TERM="xterm")
    plain = start(["laws", "kaplan"], FORCE_COLOR="1", TERM="xterm", NO_COLOR="1")
    assert "\x1b[" in coloured.stdout
    assert not any(f"\x1b[{code}m" in plain.stdout for code in ("31", "32", "33", "36"))


def test_ascii_output_is_escaped_and_does_not_fail(start):
    ended = start(["laws", "kaplan"], PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ended.returncode == 0, ended.stderr


def test_a_refusal_leaves_stdout_empty_or_is_the_document_that_was_asked_for(start):
    ended = start(["fit", "nosuch.csv"])
    assert (ended.returncode, ended.stdout) == (3, "")
    assert len(ended.stderr.splitlines()) == 1
    asked = start(["fit", "nosuch.csv", "--json"])
    assert (asked.returncode, asked.stderr) == (3, ended.stderr)
    assert json.loads(asked.stdout)["error"]["exit_code"] == 3


def test_doctor_finds_a_working_float64(start):
    found = json.loads(start(["doctor", "--json"]).stdout)
    assert_kept("doctor", found)
    assert found["float64"] is True
    assert found["versions"]["jax"]
    assert found["devices"]
