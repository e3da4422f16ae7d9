"""Help answers at once, lists everything, and tells the truth about what exists."""

import gc
import inspect
import subprocess
import sys

import click
import pytest

from jaxscale import names
from jaxscale.cli.headings import COMMANDS as HEADINGS
from jaxscale.cli.headings import OPTIONS, OTHER
from jaxscale.cli.main import main

COMMANDS = (
    "fit",
    "studies",
    "frontier",
    "plan",
    "design",
    "compare",
    "specifications",
    "coverage",
    "check",
    "approaches",
    "predict",
    "score",
    "bootstrap",
    "merge",
    "plot",
    "report",
    "laws",
    "doctor",
)
HEAVY = ("jax", "numpy", "pandas", "matplotlib", "rich")
ASK = f"""
import sys
from jaxscale.cli.main import main
for words in [["--help"], *([name, "--help"] for name in {COMMANDS!r})]:
    try:
        main(words)
    except SystemExit as end:
        assert end.code == 0, words
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


def options_of(command):
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


def every_option():
    commands = [main, *main.commands.values()]
    return [
        pytest.param(option, id=f"{command.name}{option.opts[-1]}")
        for command in commands
        for option in options_of(command)
    ]


def test_the_commands_of_this_release_are_there_and_no_others():
    assert tuple(main.commands) == COMMANDS


def test_no_help_imports_anything_heavy():
    asked = subprocess.run([sys.executable, "-c", ASK], capture_output=True, encoding="utf-8", timeout=60, check=True)
    assert asked.stderr.strip() == "[]"


@pytest.mark.parametrize("option", every_option())
def test_every_option_says_what_it_does(option):
    assert len(option.help or "") > 10


@pytest.mark.parametrize("option", every_option())
def test_every_option_that_takes_a_value_states_its_default(option):
    assert option.is_flag or option.show_default or "[default: " in option.help


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_begins_with_a_sentence(name):
    assert main.commands[name].help.split("\n")[0].endswith(".")


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)], ids=lambda words: "".join(words) or "all")
def test_a_page_of_help_fits_80_columns_and_says_all_of_every_line(run, words):
    page = run(*words, "--help", terminal_width=80).stdout
    lines, said = page.splitlines(), " ".join(page.split())
    assert max(map(len, lines)) <= 80
    assert "..." not in page.replace("[ARGS]...", "").replace("[FOLDER]...", "")
    command = main.commands[words[0]] if words else main
    for option in options_of(command):
        assert " ".join(option.help.split()).rstrip(".") in said
    for one in [] if words else main.commands.values():
        assert " ".join(one.help.split("\n\n")[0].split()) in said


@pytest.mark.parametrize("name", COMMANDS)
def test_options_stand_once_each_under_headings_in_one_order(run, name):
    lines = run(name, "--help").stdout.splitlines()
    headings = [line[:-1] for line in lines if line.endswith(":") and line[:1] not in ("", " ")]
    lines = lines[lines.index(f"{headings[0]}:") :]
    assert headings == [heading for heading in (OTHER, *OPTIONS) if heading in headings]
    assert headings[-1] == "Output"
    written = [line.split()[0].strip(",") for line in lines if line.startswith("  -")]
    assert sorted(written) == sorted([*(one.opts[0] for one in options_of(main.commands[name])), "-h"])


def test_the_headings_name_every_command_once_and_options_that_are_there():
    assert sorted(name for those in HEADINGS.values() for name in those) == sorted(COMMANDS)
    known = {name for one in every_option() for name in one.values[0].opts} | {"--help"}
    named = [name for those in OPTIONS.values() for name in those]
    assert set(named) <= known
    assert len(named) == len(set(named))


def test_the_names_in_the_help_are_those_of_the_registries():
    from jaxscale import datasets
    from jaxscale.approaches import METHODS
    from jaxscale.costs import COSTS
    from jaxscale.engine.placement import KINDS
    from jaxscale.figures import FIGURES
    from jaxscale.objectives import OBJECTIVES
    from jaxscale.objectives.spec import SPACES
    from jaxscale.runs.headers import GROUP, ROLES
    from jaxscale.solvers import SOLVERS

    assert OBJECTIVES.names == names.OBJECTIVES
    assert datasets.names() == names.DATASETS
    assert SOLVERS.names == names.SOLVERS
    assert COSTS.names == names.COSTS
    assert FIGURES.names == names.FIGURES
    assert names.DEVICES == KINDS
    assert METHODS == names.METHODS
    assert tuple(SPACES) == names.SPACES
    assert (*ROLES, GROUP) == names.ROLES


def test_no_command_at_all_shows_the_help_and_is_a_usage_error(run):
    result = run()
    assert result.exit_code == 2
    assert "Usage: jaxscale" in result.stderr


def test_every_verb_that_refits_has_the_same_number_of_replicates_where_none_is_asked_for():
    import jaxscale as js
    from jaxscale.refitting import two_steps

    of_verbs = [inspect.signature(verb).parameters["replicates"].default for verb in (js.study, js.studies, two_steps)]
    options = [option for name in ("fit", "studies") for option in main.commands[name].params]
    of_commands = [option.default for option in options if option.name == "replicates"]
    assert [*of_verbs, *of_commands] == [names.REPLICATES] * 5


def test_the_version_is_the_packages_own(run):
    from importlib.metadata import version

    assert run("--version").stdout == f"jaxscale {version('jaxscale')}\n"


def test_a_look_at_the_installation_imports_jax_and_nothing_that_fits():
    ask = "import sys; from jaxscale.cli.doctor import checkup; checkup(); print(*sys.modules)"
    asked = subprocess.run([sys.executable, "-c", ask], capture_output=True, encoding="utf-8", timeout=60, check=True)
    imported = asked.stdout.split()
    assert "jax" in imported
    assert not {"pandas", "scipy", "jaxscale.laws", "jaxscale.solvers"} & set(imported)


def test_a_process_of_the_command_does_not_look_for_garbage_in_what_it_imported():
    ask = (
        "import atexit, gc, sys; from jaxscale.cli.main import main; sys.argv = ['jaxscale', 'doctor', '--json']; "
        "said = lambda: (gc.isenabled(), gc.get_freeze_count(), len(gc.get_objects())); "
        "atexit.register(lambda: print(*said(), file=sys.stderr)); main()"
    )
    asked = subprocess.run([sys.executable, "-c", ask], capture_output=True, encoding="utf-8", timeout=60, check=True)
    is_enabled, frozen, looked_at = asked.stderr.split()
    assert is_enabled == "True"
    assert int(looked_at) < 1e-2 * int(frozen)  # JAX makes 2e5 objects


def test_a_process_that_calls_the_command_keeps_its_collections(run):
    before = gc.get_freeze_count()
    assert run("doctor").exit_code == 0
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, before)
