"""Several programs are compiled at once, each by one thread, in advance where it is prefetched, and counted once."""

import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import jaxscale as js
from jaxscale import allocation, precision
from jaxscale.engine.compiling import KEPT, Clock, Prefetch, Program, prefetched, run, slot_of
from jaxscale.errors import UsageError

ARGUMENT = np.arange(3.0)


class Witness:
    """A static part that remembers who traced it, and may keep a tracing thread waiting."""

    def __init__(self, wait=lambda: None):
        self.wait, self.threads = wait, []

    def traced(self):
        self.threads.append(threading.current_thread().name)
        self.wait()


def twice(witness, argument):
    witness.traced()
    return 2.0 * argument


def broken(witness, argument):
    witness.traced()
    return np.exp(argument)


def ran(witness, function=twice, clock=None):
    with precision.float64():
        return run(clock or Clock(), function, (witness,), ARGUMENT)


def needed(witness, function=twice):
    with precision.float64():
        return Program.of(function, (witness,), ARGUMENT)


def test_two_threads_that_need_two_programs_compile_them_at_the_same_time():
    both = threading.Barrier(2, timeout=20)  # broken, and an error, unless both are being traced at once
    witnesses, clock = [Witness(both.wait), Witness(both.wait)], Clock()
    with ThreadPoolExecutor(2) as pool:
        for answer in pool.map(lambda witness: ran(witness, clock=clock), witnesses):
            np.testing.assert_array_equal(answer, 2.0 * ARGUMENT)
    assert [len(witness.threads) for witness in witnesses] == [1, 1]
    assert clock.compiled == 2
    assert clock.programs == ["twice", "twice"]


def test_of_two_threads_that_need_one_program_one_compiles_and_counts_it():
    witness, clocks = Witness(lambda: time.sleep(0.1)), [Clock(), Clock()]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda clock: ran(witness, clock=clock), clocks))
    np.testing.assert_array_equal(*answers)
    assert len(witness.threads) == 1
    assert sorted(clock.compiled for clock in clocks) == [0, 1]
    assert min(clock.compile for clock in clocks) == 0.0


def test_a_foreseen_program_is_compiled_by_another_thread_and_counted_where_it_is_needed():
    soon, later, first, second = Witness(), Witness(), Clock(), Clock()
    with prefetched(needed(later)):
        ran(soon, clock=first)
    np.testing.assert_array_equal(ran(later, clock=second), 2.0 * ARGUMENT)
    assert len(later.threads) == 1
    assert later.threads[0].startswith("prefetched")
    assert (first.compiled, second.compiled) == (1, 1)
    assert second.compile < 0.05  # it was there: nothing was left to wait for


def until(is_true):
    """Wait for something, 20 seconds at most."""
    began = time.perf_counter()
    while not is_true():
        assert time.perf_counter() - began < 20
        time.sleep(0.001)


def test_one_foreseen_program_leads_to_the_next():
    witnesses = [Witness() for _ in range(3)]
    with prefetched(*map(needed, witnesses)):
        ran(Witness())
        until(lambda: witnesses[-1].threads)
    assert [len(witness.threads) for witness in witnesses] == [1, 1, 1]


def test_a_foreseen_program_that_somebody_is_at_is_left_to_them():
    last, gate = Witness(), threading.Event()
    busy = Witness(lambda: gate.wait(20))
    with ThreadPoolExecutor(1) as pool, prefetched(needed(busy), needed(last)):
        at_it = pool.submit(ran, busy)
        until(lambda: busy.threads)
        ran(Witness())
        until(lambda: last.threads)  # its turn goes to the next
        gate.set()
        np.testing.assert_array_equal(at_it.result(20), 2.0 * ARGUMENT)
    assert (len(busy.threads), len(last.threads)) == (1, 1)


def test_a_foreseen_program_is_left_alone_where_nothing_is_compiled():
    known, later = Witness(), Witness()
    ran(known)
    with prefetched(needed(later)):
        ran(known)
    assert later.threads == []


def test_a_foreseen_program_that_cannot_be_compiled_is_reported_by_the_verb_that_needs_it(capfd):
    bad = Witness()
    with prefetched(needed(bad, broken)):
        ran(Witness())
    assert len(bad.threads) == 1
    assert capfd.readouterr() == ("", "")
    with pytest.raises(UsageError, match="cannot be compiled"):
        ran(bad, broken)


def test_an_interrupted_compilation_is_made_again_by_who_needs_it():
    def interrupt():
        if len(witness.threads) == 1:
            raise KeyboardInterrupt

    witness, clock = Witness(interrupt), Clock()
    with pytest.raises(KeyboardInterrupt):
        ran(witness, clock=clock)
    assert clock.compiled == 0
    np.testing.assert_array_equal(ran(witness, clock=clock), 2.0 * ARGUMENT)
    assert clock.compiled == 1


def floor(params, tokens, *, E):
    """L = E + 400 N^-0.34 + 410 D^-0.28, in nats per token."""
    return E + 400.0 * params**-0.34 + 410.0 * tokens**-0.28


FLOOR = js.Law("floor", floor, ("params", "tokens"), (js.Coef("E", starts=(1.0, 2.0)),), equation="L = E + …")


@pytest.fixture(scope="module")
def ensemble():
    """Replicates of a first fit, which was made while its frontier was prefetched."""
    columns = {"params": np.geomspace(1e7, 1e10, 30), "tokens": np.geomspace(1e11, 1e9, 30)}
    runs = js.simulate(FLOOR, {"E": 1.7}, columns=columns, noise=0.01, seed=1)
    with allocation.prefetched_frontier(FLOOR, budgets=2, replicates=300):
        return js.bootstrap(js.fit(runs, FLOOR), replicates=300)


def test_the_first_fit_counts_loop_verdict_and_look_and_its_bootstrap_draw_and_starts(ensemble):
    """These two depend on no law: another test may have made them."""
    made = ensemble.fit.provenance
    assert 2 <= made.programs <= 3
    assert ensemble.provenance.programs <= 2
    assert made.compile_seconds > 0
    assert made.run_seconds >= 0


def test_the_bootstrap_of_another_law_of_as_many_coefs_makes_no_program(ensemble):
    """On a table of the same shape: draw and starts are those of the first law, and the loop is that of the fit."""

    def steeper(params, tokens, *, E):
        return E + 300.0 * params**-0.4 + 410.0 * tokens**-0.28

    law = js.Law("steeper", steeper, ("params", "tokens"), (js.Coef("E", starts=(1.0, 2.0)),), equation="L = E + …")
    assert js.bootstrap(js.fit(ensemble.fit.runs, law), replicates=300).provenance.programs == 0


def test_a_frontier_that_was_foreseen_is_there_with_that_of_the_point_fit(ensemble):
    known = slot_of.cache_info().misses
    front = js.frontier(ensemble, flops=[1e20, 1e22])
    assert slot_of.cache_info().misses == known
    assert front.params.shape == (300, 2)
    alone = js.frontier(ensemble.fit, flops=[1e20, 1e22])
    np.testing.assert_allclose(front.point.params, alone.params, rtol=1e-12)  # ln N to a few ulps


def test_what_has_no_frontier_is_not_foreseen():
    known = slot_of.cache_info().misses
    with allocation.prefetched_frontier("pure-power-params", budgets=2):
        ran(Witness())
    assert slot_of.cache_info().misses == known + 1


def plus(number, argument):
    return argument + number


def test_programs_that_are_no_longer_kept_are_let_go():
    """Each holds memory mappings, of which a process may have so many: a loop over many laws would end it."""
    argument = np.zeros(3)
    with precision.float64():
        run(Clock(), plus, (-1,), argument)
        first = weakref.ref(slot_of(Program.of(plus, (-1,), argument)).executable)
        assert first() is not None
        for number in range(KEPT):
            run(Clock(), plus, (number,), argument)
    gc.collect()
    assert first() is None


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
