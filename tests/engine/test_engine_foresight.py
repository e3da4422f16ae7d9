"""What is known to come is begun while something else is waited for, in order, and never outlives its scope."""

import threading

import pytest

from jaxscale.engine.foresight import Foresight


def test_nothing_is_begun_unless_somebody_waits():
    done, foresight = [], Foresight()
    with foresight.expecting(lambda: done.append(1)):
        pass
    foresight.begin_next()
    assert done == []


def test_each_wait_begins_one_task_the_innermost_scopes_first():
    done, foresight = [], Foresight()
    with foresight.expecting(*(lambda at=at: done.append(("outer", at)) for at in range(2))):
        with foresight.expecting(lambda: done.append(("inner", 0))):
            foresight.begin_next()
        assert done == [("inner", 0)]
        foresight.begin_next()
    assert done == [("inner", 0), ("outer", 0)]


def test_the_scope_ends_when_what_was_begun_has_ended_and_leaves_no_thread():
    before, gate, done, foresight = threading.enumerate(), threading.Event(), [], Foresight()

    def slow():
        gate.wait(10)
        done.append(1)

    with foresight.expecting(slow):
        foresight.begin_next()
        threading.Timer(0.05, gate.set).start()
    assert done == [1]
    assert [thread for thread in threading.enumerate() if thread not in before and "foreseen" in thread.name] == []


def test_a_task_that_fails_and_a_scope_that_is_left_by_an_exception_disturb_nobody(capfd):
    done, foresight = [], Foresight()

    def broken():
        raise RuntimeError("in advance")

    def leave():
        with foresight.expecting(broken, lambda: done.append(1)):
            foresight.begin_next()
            raise KeyError

    with pytest.raises(KeyError):
        leave()
    foresight.begin_next()
    with foresight.expecting(lambda: done.append(2)):
        foresight.begin_next()
    assert done == [2]
    assert capfd.readouterr() == ("", "")
