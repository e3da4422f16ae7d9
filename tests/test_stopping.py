"""A request to stop: heard at the end of a part, raised between calls of the engine, forgotten by the next command."""

import signal
import threading

import numpy as np
import pytest
from click.testing import CliRunner

from jaxscale import stopping
from jaxscale.cli import starting
from jaxscale.cli.main import main
from jaxscale.cli.session import Session
from jaxscale.stages import SILENT, Stages


@pytest.fixture(autouse=True)
def forgotten():
    stopping.forget()
    yield
    stopping.forget()


def test_a_request_outside_a_part_is_not_heard():
    assert not stopping.ask(signal.SIGINT)
    assert not stopping.is_stopping()
    stopping.stop_if_asked()


def test_the_first_request_in_a_part_is_heard_and_raised_after_it():
    with stopping.finishing():
        assert stopping.ask(signal.SIGTERM)
        assert not stopping.ask(signal.SIGINT)
        stopping.stop_if_asked()
        assert stopping.is_stopping()
    assert stopping.asked_by() == signal.SIGTERM
    with pytest.raises(KeyboardInterrupt):
        stopping.stop_if_asked()


def test_parts_within_a_loop_over_parts_are_finished_with_it():
    with stopping.finishing():
        with stopping.finishing():
            assert stopping.ask(signal.SIGINT)
        stopping.stop_if_asked()
    with pytest.raises(KeyboardInterrupt):
        stopping.stop_if_asked()


def test_the_engine_stops_between_two_calls(fit):
    """Asked from another thread, whose exception could not reach the engine."""
    asking = threading.Thread(target=stopping.insist, args=(signal.SIGINT,))
    asking.start()
    asking.join()
    with pytest.raises(KeyboardInterrupt):
        fit()
    stopping.forget()
    assert fit().is_usable


@pytest.fixture
def fit():
    """Return a function that fits the table of the package's examples."""
    import jaxscale as js

    columns = {"params": np.geomspace(1e6, 1e9, 30), "tokens": np.full(30, 1e10)}
    runs = js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns=columns, noise=0.02, seed=1)
    return lambda: js.fit(runs, "pure-power-params")


def test_a_new_command_forgets_the_requests_to_the_last_one():
    stopping.insist(signal.SIGINT)
    assert CliRunner().invoke(main, ["laws"]).exit_code == 0


@pytest.fixture
def heard():
    """Have this process hear interrupts as Python does: one that was begun in the background ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_in_a_process_of_others_an_interrupt_is_raised_and_one_in_a_part_is_announced(capfd):
    session = Session()
    with session.interruptible(), stopping.finishing():
        signal.raise_signal(signal.SIGINT)
        assert stopping.is_stopping()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert capfd.readouterr().err == f"{starting.STOPPING}\n"
    stopping.forget()
    with session.interruptible(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert stopping.is_stopping()


def test_stages_are_told_under_their_heading():
    told = []
    stages = Stages(lambda text, total: told.append((text, total)), told.append).within("b").within("a")
    stages.begin("x", 3)
    stages.done(2)
    assert told == [("b: a: x", 3), 2]
    SILENT.begin("x")
    SILENT.done(1)
