"""Tasks side by side: answers in their order, groups in turn, one failure or interrupt for all of them."""

import threading
import time

import jax
import pytest

from jaxscale import stopping
from jaxscale.engine import placement, together
from jaxscale.engine.together import side_by_side

GROUPS = "abcabcabcaab"


@pytest.fixture(params=[1, 2, 8])
def cores(request, monkeypatch):
    monkeypatch.setattr(together.os, "cpu_count", lambda: request.param)
    return request.param


def test_answers_come_in_the_order_of_the_tasks(cores):
    tasks = [lambda place=place: (time.sleep(0.01 * (place % 3)), place)[1] for place in range(12)]
    told = []
    assert side_by_side(tasks, GROUPS, lambda count: told.append((count, threading.current_thread()))) == [*range(12)]
    assert told == [(1, threading.current_thread())] * 12


def test_nothing_to_do_is_done(cores):
    assert side_by_side([], []) == []


def test_one_thread_does_a_group_after_the_other(monkeypatch):
    monkeypatch.setattr(together.os, "cpu_count", lambda: 1)
    done = []
    side_by_side([lambda group=group: done.append(group) for group in GROUPS], GROUPS)
    assert "".join(done) == "aaaaabbbbccc"


def test_two_threads_begin_two_groups_and_help_with_the_last(monkeypatch):
    """A group that is longer than the others together is in the end the work of both threads."""
    monkeypatch.setattr(together.os, "cpu_count", lambda: 2)
    both = threading.Barrier(2, timeout=10)
    first, by = iter("01"), {}

    def task(group):
        if next(first, None) is not None:
            both.wait()  # each thread holds one task now
        time.sleep(0.005)
        by.setdefault(group, set()).add(threading.current_thread())

    groups = "l" * 20 + "s"
    side_by_side([lambda group=group: task(group) for group in groups], groups)
    assert len(by["s"]) == 1
    assert len(by["l"]) == 2


def test_what_a_task_raises_is_raised_and_nothing_else_is_begun(cores):
    begun = []

    def task(place):
        begun.append(place)
        if place == 3:
            raise ValueError("three")
        time.sleep(0.002)

    with pytest.raises(ValueError, match="three"):
        side_by_side([lambda place=place: task(place) for place in range(200)], "a" * 200)
    assert len(begun) < 100


def test_an_interrupt_of_the_caller_is_told_to_the_tasks_that_run(cores):
    ended = []

    def task():
        try:
            while True:
                stopping.stop_if_asked()
                time.sleep(0.002)
        except KeyboardInterrupt:
            ended.append(True)
            raise

    def interrupt(count):
        raise KeyboardInterrupt

    tasks = [lambda: None, *[task] * 20]
    with pytest.raises(KeyboardInterrupt):
        side_by_side(tasks, range(21), interrupt)
    assert len(ended) <= cores
    stopping.stop_if_asked()  # this thread goes on


def test_tasks_share_the_cores_and_see_the_callers_device(monkeypatch):
    monkeypatch.setattr(together.os, "cpu_count", lambda: 4)
    both = threading.Barrier(2, timeout=10)

    def task():
        both.wait()
        found = placement.threads(), jax.config.values["jax_default_device"]
        both.wait()
        return found

    device = jax.devices("cpu")[0]
    with jax.default_device(device):
        assert side_by_side([task, task], "ab") == [(2, device)] * 2
        assert placement.threads() == 4
