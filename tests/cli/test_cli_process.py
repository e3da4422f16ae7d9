"""The command as a process of its own: streams, pipes, colours and the compile cache."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = [sys.executable, "-c", "from jaxscale.cli.main import main; main()"]
QUICK = ["fit", "--replicates", "20", "--law", "pure-power", "--flops", "1e12"]


@pytest.fixture(scope="module")
def cache_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache") / "programs"


@pytest.fixture
def start(own_folder, cache_folder):
    """Return a function that runs the program in a process, with a compile cache that these tests share."""

    def run(words, **given):
        environment = {**os.environ, "JAXSCALE_CACHE_DIR": str(cache_folder), **given}
        return subprocess.run([*PROGRAM, *words], capture_output=True, text=True, timeout=120, env=environment)

    return run


def test_stdout_is_one_json_document_and_nothing_else(start, cache_folder):
    ended = start([*QUICK, "--json", "-v"])
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["law"] == "pure-power"
    assert ended.stdout.isascii()
    assert ended.stderr.splitlines() == [f"compile cache: {next(cache_folder.iterdir())}"]
    assert cache_folder.stat().st_mode & 0o777 == 0o700


def test_a_reader_that_goes_away_ends_the_output_quietly(own_folder, cache_folder):
    environment = {**os.environ, "JAXSCALE_CACHE_DIR": str(cache_folder)}
    running = subprocess.Popen(
        [*PROGRAM, "laws"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    running.stdout.close()
    said = running.stderr.read()
    running.stderr.close()
    assert running.wait(60) == 0
    assert said == ""


def test_forced_colours_follow_no_color(start):
    coloured = start(["laws", "kaplan"], FORCE_COLOR="1")
    plain = start(["laws", "kaplan"], FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[" in coloured.stdout
    assert not any(f"\x1b[{code}m" in plain.stdout for code in ("31", "32", "33", "36"))


def test_ascii_output_is_escaped_and_does_not_fail(start):
    ended = start(["laws", "kaplan"], PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ended.returncode == 0, ended.stderr


def test_a_refusal_leaves_stdout_empty(start):
    ended = start(["fit", "nosuch.csv", "--json"])
    assert (ended.returncode, ended.stdout) == (3, "")
    assert len(ended.stderr.splitlines()) == 1


def test_doctor_finds_a_working_float64(start):
    found = json.loads(start(["doctor", "--json"]).stdout)
    assert found["float64"] is True
    assert found["versions"]["jax"]
    assert found["devices"]
