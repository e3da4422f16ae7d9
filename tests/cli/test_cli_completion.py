"""A shell completes values: names of what there is, tables and folders."""

import os
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from jaxscale import names
from jaxscale.cli.main import main
from jaxscale.laws import LAWS


def completed(*words, incomplete=""):
    """Return what a shell would offer for a word after others."""
    found = ShellComplete(main, {}, "jaxscale", "_JAXSCALE_COMPLETE").get_completions(list(words), incomplete)
    return [(one.type, one.value) for one in found]


def offered(*words, incomplete=""):
    return [value for kind, value in completed(*words, incomplete=incomplete) if kind == "plain"]


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (("fit", "--law"), (*LAWS.names, *LAWS.aliases)),
        (("laws",), (*LAWS.names, *LAWS.aliases)),
        (("fit", "--scheme"), names.SCHEMES),
        (("fit", "--interval"), names.INTERVALS),
        (("plot", "saved", "--interval"), names.INTERVALS),
        (("fit", "--objective"), names.OBJECTIVES),
        (("compare", "t.csv", "--objective"), names.OBJECTIVES),
        (("fit", "--solver"), names.SOLVERS),
        (("fit", "--device"), names.DEVICES),
        (("fit", "--space"), names.SPACES),
        (("fit", "--count"), (*names.CONVENTIONS, "all")),
        (("plot", "saved", "--figure"), names.FIGURES),
        (("design", "--criterion"), names.CRITERIA),
        (("plan", "--least"), names.COSTS),
        (("approaches", "t.csv", "--method"), names.METHODS),
        (("plan", "--law", "kaplan", "--constants"), tuple(one.name for one in LAWS["kaplan"].published)),
        (("plan", "--constants"), tuple(one.name for one in LAWS["chinchilla"].published)),
    ],
)
def test_names_are_offered_and_those_that_begin_so(words, known):
    assert tuple(offered(*words)) == known
    start = known[-1][:2]
    assert offered(*words, incomplete=start) == [name for name in known if name.startswith(start)]


def test_the_last_name_of_a_list_is_offered_with_those_before_it():
    assert offered("compare", "t.csv", "--laws", incomplete="chinchilla,kaplan-s") == ["chinchilla,kaplan-steps"]
    both = offered("specifications", "t.csv", "--spaces", incomplete="log,")
    assert both == ["log,linear"]


@pytest.mark.parametrize("words", [("fit",), ("frontier",), ("predict",), ("plot",), ("plan", "--shapes"), ("score",)])
def test_files_are_left_to_the_shell(words):
    assert ("file", "ru") in completed(*words, incomplete="ru")


def test_a_data_set_is_offered_beside_files():
    assert completed("fit", incomplete="pi") == [("plain", "pilot"), ("file", "pi")]


def test_the_line_of_the_readme_switches_completion_on():
    for shell in ("bash", "zsh", "fish"):
        environment = {**os.environ, "_JAXSCALE_COMPLETE": f"{shell}_source"}
        done = subprocess.run(
            [sys.executable, "-c", "from jaxscale.cli.main import main; main()"],
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (shell == "bash" and "version" in done.stderr) or f"_JAXSCALE_COMPLETE={shell}_complete" in done.stdout
