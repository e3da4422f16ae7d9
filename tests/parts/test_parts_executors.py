"""Parts on executors: the bytes of one process, workers that are lost, and workers of other versions."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor

import pytest
from large_studies import PART, REPLICATES, assert_same, content, stop_after

import jaxscale as js
from jaxscale.errors import JaxscaleError, StoreError
from jaxscale.parts import executors, solving
from jaxscale.parts.executors import Crew
from jaxscale.resampling import SCHEMES
from jaxscale.store.surveys import Surveyed, survey_bytes


class Backwards:
    """An executor that does nothing until it is asked for what was submitted first, and then the last of it first."""

    def __init__(self):
        self.waiting, self.submitted = [], 0

    def submit(self, function, *given):
        future = Future()
        self.waiting.append((future, function, given))
        self.submitted += 1
        if len(self.waiting) == 3 or self.submitted == 5:
            for one, work, words in reversed(self.waiting):
                one.set_running_or_notify_cancel()
                one.set_result(work(*words))
            self.waiting = []
        return future


class Dying(ThreadPoolExecutor):
    """A pool that loses the worker of some submissions: each part in `losses` so many times."""

    def __init__(self, losses, error=BrokenExecutor, breaks=False):
        super().__init__(2)
        self.losses, self.error, self.breaks, self.is_broken = dict(losses), error, breaks, False

    def submit(self, function, description, start, stop):
        if self.is_broken:
            raise self.error("broken")

        def work():
            if self.losses.get(start, 0) > 0:
                self.losses[start] -= 1
                self.is_broken = self.breaks
                raise self.error("a worker was lost")
            return function(description, start, stop)

        return super().submit(work)


def test_parts_that_come_back_in_any_order_are_the_same_bytes(begin, uninterrupted, whole, small_fit, tmp_path):
    pool = Backwards()
    begin(tmp_path / "study", executor=pool)
    assert pool.submitted == 5
    assert content(tmp_path / "study") == content(uninterrupted)
    assert_same(js.bootstrap(small_fit, replicates=REPLICATES, seed=7, part=PART, executor=Backwards()), whole)


@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize("error", [BrokenExecutor, ConnectionError, RuntimeError], ids=lambda one: one.__name__)
def test_a_part_whose_worker_was_lost_is_made_by_another(begin, uninterrupted, tmp_path, error):
    with Dying({0: 2, 2 * PART: 1}, error) as pool:
        made = begin(tmp_path / "study", executor=pool)
    told = [one.message for one in made.findings if one.code == "parts-retried"]
    assert sorted(told) == [
        "replicates 0 … 63 were submitted 3 times: workers were lost",
        "replicates 128 … 191 were submitted 2 times: workers were lost",
    ]
    assert content(tmp_path / "study") == content(uninterrupted)


@pytest.mark.usefixtures("remembered")
def test_a_part_that_is_lost_three_times_ends_the_work_and_keeps_the_rest(begin, uninterrupted, tmp_path):
    with Dying({4 * PART: 3}, OSError) as pool, pytest.raises(JaxscaleError) as told:
        begin(tmp_path / "study", executor=pool)
    assert "replicates 256 … 299 were lost 3 times on the executor (OSError: a worker was lost)" in str(told.value)
    assert len(js.load(tmp_path / "study").ensemble) == 4 * PART
    begin(tmp_path / "study")
    assert content(tmp_path / "study") == content(uninterrupted)


@pytest.mark.usefixtures("remembered")
def test_a_callers_executor_that_broke_is_said_and_ours_is_made_anew(begin, uninterrupted, tmp_path, monkeypatch):
    with Dying({PART: 1}, breaks=True) as pool, pytest.raises(JaxscaleError, match="takes no parts any more"):
        begin(tmp_path / "study", executor=pool)
    made = []

    def make(count):
        made.append(Dying({PART: 1} if not made else {}, breaks=True))
        return made[-1]

    monkeypatch.setattr(executors, "processes", make)
    begin(tmp_path / "other", executor="processes:2")
    assert len(made) == 2
    begin(tmp_path / "study")
    for name in ("study", "other"):
        assert content(tmp_path / name) == content(uninterrupted)


@pytest.mark.usefixtures("remembered")
def test_a_worker_of_another_version_is_refused_by_its_name(begin, tmp_path, monkeypatch):
    own = solving.solve_part

    def other(description, start, stop):
        return own(description, start, stop)._replace(versions={"jaxscale": "0.1.0", "jax": "0.9"}, worker="node7:12")

    monkeypatch.setattr(executors, "solve_part", other)
    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(JaxscaleError, match=r"'node7:12' has jaxscale 0\.1\.0 and jax 0\.9"),
    ):
        begin(tmp_path / "study", executor=pool)
    assert js.load(tmp_path / "study").ensemble is None


def test_a_worker_solves_nothing_for_another_version(small_fit):
    description = solving.Description("", b"", b"", {}, False, "auto", {"jaxscale": "9", "jax": "9"})
    answer = solving.solve_part(description, 0, 8)
    assert answer.record is None
    assert answer.versions == solving.versions()


@pytest.mark.usefixtures("remembered")
def test_a_stop_waits_for_the_parts_at_work_and_begins_no_other(begin, uninterrupted, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        some = begin(tmp_path / "study", executor=pool, is_stopping=stop_after(2))
        assert 0 < len(some) < REPLICATES
        begin(tmp_path / "study", executor=pool)
    assert content(tmp_path / "study") == content(uninterrupted)


def test_what_a_worker_is_told_says_all_of_the_fit_and_its_survey(small_fit):
    """A description is bytes: what comes out of them is the fit, and equal studies make equal bytes."""
    from jaxscale.refitting import survey
    from jaxscale.store.surveys import fit_bytes, fit_of, surveyed_of

    found = survey(small_fit, seed=7)
    data = survey_bytes(Surveyed(found))
    again = surveyed_of(data, small_fit, {}, "survey.npz").survey
    assert survey_bytes(Surveyed(again)) == data
    assert (again.scheme, again.seed, again.chunk) == (SCHEMES.resolve("pairs"), 7, None)
    assert fit_bytes(fit_of(fit_bytes(small_fit), {})) == fit_bytes(small_fit)


@pytest.mark.parametrize("text", ["threads", "processes:0", "processes:x", ":make", "os:nothing", "os:sep"])
def test_a_text_that_names_no_executor_is_refused(text):
    with pytest.raises(js.UsageError, match="executor"):
        Crew.of(text)


def threads():
    return ThreadPoolExecutor(2)


@pytest.mark.usefixtures("remembered")
def test_an_executor_is_made_by_the_name_of_a_function(begin, uninterrupted, tmp_path):
    begin(tmp_path / "study", executor=f"{__name__}:threads")
    assert content(tmp_path / "study") == content(uninterrupted)
    with pytest.raises(js.UsageError, match="it returned a str"):
        begin(tmp_path / "other", executor="platform:node")


@pytest.mark.slow
def test_processes_of_this_machine_make_the_same_bytes(begin, uninterrupted, tmp_path):
    begin(tmp_path / "study", executor="processes:2")
    assert content(tmp_path / "study") == content(uninterrupted)


@pytest.mark.slow
def test_a_process_that_is_killed_loses_no_part(begin, uninterrupted, tmp_path):
    """One of two workers is killed by SIGKILL as soon as there is one; the pool breaks and is made anew."""
    killed = threading.Event()

    def kill():
        while not multiprocessing.active_children():
            time.sleep(0.05)
        time.sleep(1.0)
        multiprocessing.active_children()[0].kill()
        killed.set()

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    made = begin(tmp_path / "study", executor="processes:2")
    thread.join()
    assert killed.is_set()
    assert [one.code for one in made.findings].count("parts-retried") >= 1
    assert content(tmp_path / "study") == content(uninterrupted)


GROUP = """
import sys
import jax
import numpy as np
jax.config.update("jax_compilation_cache_dir", sys.argv[4])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
jax.distributed.initialize(f"127.0.0.1:{sys.argv[3]}", 2, int(sys.argv[2]))
import jaxscale as js
fit = js.load(sys.argv[1]).fit
share = (jax.process_index() + 1, jax.process_count())
js.bootstrap(fit, seed=7, folder=sys.argv[1], share=share)
"""


@pytest.mark.slow
def test_processes_of_one_jax_group_make_their_own_shares(begin, uninterrupted, tmp_path):
    import socket

    folder = tmp_path / "study"
    begin(folder, max_seconds=0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-c", GROUP, str(folder)]
    more = [str(port), os.environ["JAXSCALE_TESTS_COMPILED"]]
    group = [subprocess.Popen([*words, str(at), *more], stderr=subprocess.PIPE) for at in range(2)]
    errors = [process.communicate(timeout=300)[1].decode() for process in group]
    assert [process.returncode for process in group] == [0, 0], errors
    assert js.merge(folder).is_whole
    assert content(folder) == content(uninterrupted)


@pytest.mark.slow
def test_a_real_scheduler_of_dask_makes_the_same_bytes(begin, uninterrupted, tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask.distributed is missing: jaxscale[cluster]")
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, distributed.Client(cluster) as client:
        begin(tmp_path / "study", executor=client.get_executor(pure=False))
    assert content(tmp_path / "study") == content(uninterrupted)


@pytest.mark.slow
def test_a_worker_of_dask_that_is_killed_loses_no_part(begin, tmp_path):
    """One of two workers is killed when the first of sixteen parts is back; the scheduler makes up for it."""
    distributed = pytest.importorskip("distributed", reason="dask.distributed is missing: jaxscale[cluster]")
    begin(tmp_path / "whole", part=19)
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, distributed.Client(cluster) as client:
        numbers, killed = [*client.run(os.getpid).values()], []

        def kill(count):
            if not killed:
                killed.append(numbers[0])
                os.kill(numbers[0], signal.SIGKILL)

        begin(tmp_path / "study", part=19, executor=client.get_executor(pure=False), on_done=kill)
        assert numbers[0] not in client.run(os.getpid).values()
    assert killed
    assert content(tmp_path / "study") == content(tmp_path / "whole")


def test_a_study_of_a_law_of_ones_own_is_told_with_its_functions(small_fit):
    from dataclasses import replace

    own = replace(small_fit.law, name="mine")
    assert solving.own_of(own, small_fit.objective, SCHEMES.resolve("pairs"))[js.Law] == (own,)
    with pytest.raises(StoreError, match="is not one that ships"):
        solving.fit_of(solving.fit_bytes(replace(small_fit, law=own)), {})
    told = solving.fit_of(solving.fit_bytes(replace(small_fit, law=own)), {js.Law: (own,)})
    assert told.law is own
