"""What is known to come is begun while something else is waited for, in order, and never outlives its scope."""

import threading

import pytest

from jaxscale.engine.prefetch import Prefetch


def test_nothing_is_begun_unless_somebody_waits():
    done, prefetch = [], Prefetch()
    with prefetch.expecting(lambda: done.append(1)):
        pass
    prefetch.begin_next()
    assert done == []


def test_each_wait_begins_one_task_the_innermost_scopes_first():
    done, prefetch = [], Prefetch()
    with prefetch.expecting(*(lambda at=at: done.append(("outer", at)) for at in range(2))):
        with prefetch.expecting(lambda: done.append(("inner", 0))):
            prefetch.begin_next()
        assert done == [("inner", 0)]
        prefetch.begin_next()
    assert done == [("inner", 0), ("outer", 0)]


def test_the_scope_ends_when_what_was_begun_has_ended_and_leaves_no_thread():
    before, gate, done, prefetch = threading.enumerate(), threading.Event(), [], Prefetch()

    def slow():
        gate.wait(10)
        done.append(1)

    with prefetch.expecting(slow):
        prefetch.begin_next()
        threading.Timer(0.05, gate.set).start()
    assert done == [1]
    assert [thread for thread in threading.enumerate() if thread not in before and "prefetched" in thread.name] == []


def test_a_task_that_fails_and_a_scope_that_is_left_by_an_exception_disturb_nobody(capfd):
    done, prefetch = [], Prefetch()

    def broken():
        raise RuntimeError("in advance")

    def leave():
        with prefetch.expecting(broken, lambda: done.append(1)):
            prefetch.begin_next()
            raise KeyError

    with pytest.raises(KeyError):
        leave()
    prefetch.begin_next()
    with prefetch.expecting(lambda: done.append(2)):
        prefetch.begin_next()
    assert done == [2]
    assert capfd.readouterr() == ("", "")
