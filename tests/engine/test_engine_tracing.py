"""Traces that are kept: another process finds a program by its name, and what it runs is the same to the bit."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxscale as js
from jaxscale import precision
from jaxscale.engine import tracing
from jaxscale.engine.compiling import Program, compiled
from jaxscale.engine.naming import lasting_name
from jaxscale.engine.programs import problem_of
from jaxscale.laws import LAWS
from jaxscale.numerics.made import made_of
from jaxscale.objectives.rho_functions import huber_rho
from jaxscale.solvers.surrogate import quadratic

ARGUMENT = {"x": np.linspace(0.0, 1.0, 7), "pair": (np.arange(3), np.float64(2.0))}


@pytest.fixture(autouse=True)
def own_folder(monkeypatch):
    """Traces are kept where a test says, and afterwards where they were."""
    monkeypatch.setattr(tracing, "FOLDER", [])


@pytest.fixture
def folder(tmp_path):
    tracing.keep_in(tmp_path)
    return tmp_path


def counted(traces):
    """A function of ARGUMENT that is named by what it was made of, and notes how often it is traced."""

    def function(factor, argument):
        traces.append(1)
        first, (counts, number) = argument["x"], argument["pair"]
        return {"sum": jnp.sum(jnp.sin(first) * factor), "more": (counts + 1, number * first)}

    return made_of(function, "twice")


def answer(function, factor=2.0):
    """What a program that was just compiled makes of ARGUMENT."""
    with precision.float64():
        return jax.tree.map(np.asarray, compiled(Program.of(function, (factor,), ARGUMENT))(ARGUMENT))


def test_a_kept_program_is_not_traced_again_and_gives_the_same_bits(folder):
    traces = []
    plain = answer(counted(traces))
    assert len(traces) == 1
    again = answer(counted(traces))
    assert len(traces) == 1
    assert jax.tree.structure(again) == jax.tree.structure(plain)
    for here, there in zip(jax.tree.leaves(again), jax.tree.leaves(plain), strict=True):
        np.testing.assert_array_equal(here, there)
    tracing.keep_in(None)
    for here, there in zip(jax.tree.leaves(answer(counted(traces))), jax.tree.leaves(plain), strict=True):
        np.testing.assert_array_equal(here, there)
    assert len(traces) == 2


def test_another_static_part_is_another_program(folder):
    traces = []
    for factor in (2.0, 3.0, 2.0):
        answer(counted(traces), factor)
    assert len(traces) == 2
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"no trace", b"\x80\x05K\x01."])
def test_a_damaged_file_is_a_trace_that_is_missing(folder, content):
    traces = []
    answer(counted(traces))
    (kept,) = folder.iterdir()
    kept.write_bytes(content)
    assert float(answer(counted(traces))["sum"]) == pytest.approx(2 * np.sin(ARGUMENT["x"]).sum())
    assert len(traces) == 2
    assert kept.read_bytes() != content


def test_a_folder_that_takes_nothing_costs_a_trace_and_no_more(tmp_path):
    traces = []
    tracing.keep_in(tmp_path / "missing")
    for _ in range(2):
        assert answer(counted(traces))["more"][0].tolist() == [1, 2, 3]
    assert len(traces) == 2


def test_a_function_from_elsewhere_has_no_name():
    def loss(params, *, A, alpha):
        return A * params**-alpha

    coefs = (js.Coef("A", "positive", (1.0, 100.0)), js.Coef("alpha", "positive", (0.1, 1.0)))
    own = js.Law("own", loss, ("params",), coefs)
    assert lasting_name(problem_of(own, "log", huber_rho)) is None
    assert lasting_name(lambda x: x) is None
    assert lasting_name(loss) is None


def test_a_function_that_took_the_place_of_another_has_no_name(monkeypatch):
    before = lasting_name(huber_rho)
    monkeypatch.setattr("jaxscale.objectives.rho_functions.huber_rho", lambda residual, scale: None)
    assert before is not None
    assert lasting_name(huber_rho) is None


def test_names_tell_apart_what_programs_differ_by():
    law, other = LAWS.resolve("chinchilla"), LAWS.resolve("kaplan")
    made = [
        problem_of(law, "log", huber_rho),
        problem_of(law, "linear", huber_rho),
        problem_of(law, "log", huber_rho, (True, True)),
        problem_of(other, "log", huber_rho),
        quadratic(huber_rho, 5),
        quadratic(huber_rho, 4),
    ]
    names = [lasting_name(one) for one in made]
    assert None not in names
    assert len(set(names)) == len(names)


def test_other_random_bits_are_another_program():
    plain = lasting_name(huber_rho)
    with jax.threefry_partitionable(not jax.config.jax_threefry_partitionable):
        other = lasting_name(huber_rho)
    with jax.default_matmul_precision("bfloat16"):
        third = lasting_name(huber_rho)
    assert len({plain, other, third, lasting_name(huber_rho)}) == 3


def test_a_full_disk_leaves_no_file_behind(folder, monkeypatch):
    def fails(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jaxscale.engine.tracing.os.replace", fails)
    answer(counted([]))
    assert list(folder.iterdir()) == []


def test_every_law_that_ships_has_a_name():
    assert [law.name for law in LAWS if lasting_name(problem_of(law, "log", huber_rho)) is None] == []


def test_another_process_finds_the_same_name():
    line = (
        "from jaxscale.engine.naming import lasting_name; from jaxscale.engine.programs import problem_of;"
        "from jaxscale.laws import LAWS; from jaxscale.objectives.rho_functions import huber_rho;"
        "print(lasting_name(problem_of(LAWS.resolve('chinchilla'), 'log', huber_rho)))"
    )
    told = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True, timeout=120).stdout
    assert told.strip() == lasting_name(problem_of(LAWS.resolve("chinchilla"), "log", huber_rho))
