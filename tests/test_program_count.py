"""Compiled programs: what counts once and by which names, when a run fails by their number, and where they are kept."""

import os
import time
from importlib.metadata import version
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from kept_programs import IN_USE, kept_folder
from program_count import BUDGET, LAST, ProgramCount

import jaxscale as js
from jaxscale import precision
from jaxscale.engine import compiling
from jaxscale.engine.programs import problem_of
from jaxscale.fitting.optimum import view


@pytest.fixture
def count(monkeypatch, request):
    """A count of what is compiled in this test, beside that of the run."""
    for owner, name in ((compiling, "compiled"), (jax.stages.Lowered, "compile")):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # put back at the end
    counting = ProgramCount(request.config)
    counting.watch()
    return counting


def looked(law, objective, rows):
    """Compile the program that looks at a law at one point."""
    law = js.LAWS.resolve(law)
    argument = ((np.ones(rows),), np.ones(rows)), np.zeros((1, len(law.coefs))), np.float64(1.0)
    with precision.float64():
        compiling.compiled(
            compiling.Program.of(view, (problem_of(law, objective.space, objective.rho, (True,)),), argument)
        )


def test_a_program_that_is_needed_again_counts_once_and_another_objective_is_another(count):
    for objective in (js.squared(), js.squared(), js.huber(1e-3), js.huber(1e-2)):
        looked("pure-power-params", objective, 4)
    assert [what for _, what, _ in count.found.values()] == [
        "pure-power-params log squared [2:4 1×2 ]",
        "pure-power-params log huber [2:4 1×2 ]",
    ]
    assert all(test.startswith("tests/test_program_count.py::test_a_program") for *_, test in count.found.values())


def of_a_test(argument):
    return 2.0 * argument


def test_programs_of_tests_are_not_counted(count):
    with precision.float64():
        compiling.compiled(compiling.Program.of(of_a_test, (), np.ones(3)))
    assert count.found == {}


def made(programs, known=(), **options):
    """Return a count of so many solve programs at the end of a run."""
    given = {"markexpr": "not slow", "keyword": "", "programs": False, **options}
    config = SimpleNamespace(
        option=SimpleNamespace(**given),
        args_source=pytest.Config.ArgsSource.TESTPATHS,
        cache=SimpleNamespace(get=lambda key, _: {LAST: list(known)}[key]),
    )
    counting = ProgramCount(config)
    counting.found = {str(number): ["solve_chunk", f"law-{number}", f"test_{number}"] for number in range(programs)}
    return counting


def test_a_default_run_with_too_many_programs_fails_and_names_the_new_ones():
    counting, session = made(BUDGET + 1, known=map(str, range(BUDGET))), SimpleNamespace(exitstatus=0)
    counting.pytest_sessionfinish(session, 0)
    assert session.exitstatus == pytest.ExitCode.TESTS_FAILED
    first, words, newest = counting.lines()
    assert first == f"programs: {BUDGET + 1} distinct, {BUDGET + 1} solve_chunk"
    assert f"{BUDGET + 1} solve programs are more than the budget of {BUDGET}" in words
    assert newest == f"law-{BUDGET}  test_{BUDGET}"


@pytest.mark.parametrize("options", [{"markexpr": ""}, {"keyword": "fit"}])
def test_a_run_of_other_tests_has_no_budget(options):
    counting, session = made(BUDGET + 1, **options), SimpleNamespace(exitstatus=0)
    counting.pytest_sessionfinish(session, 0)
    assert session.exitstatus == 0
    assert len(list(counting.lines())) == 1


def test_programs_of_two_workers_are_told_apart_by_their_text():
    counting = made(2)
    counting.pytest_testnodedown(SimpleNamespace(workeroutput={"programs": made(3).found}))
    assert len(counting.solves) == 3


def test_of_the_folders_of_programs_those_of_an_older_state_of_the_code_go(tmp_path):
    own, other = f"compiled-{version('jaxlib')}-", "compiled-0.1-"
    names = {f"{own}old": IN_USE + 60, f"{own}new": 0, f"{other}old": IN_USE + 60, "v": IN_USE + 60}
    for name, age in names.items():
        (tmp_path / name / "inside").mkdir(parents=True)
        os.utime(tmp_path / name, times=(time.time() - age,) * 2)
    kept = kept_folder(tmp_path)
    assert kept.name.startswith(own)
    assert kept == kept_folder(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == names.keys() - {f"{own}old"}
