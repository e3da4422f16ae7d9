"""Many studies on workers: the bytes and the answers of one process, and workers that are lost."""

import pickle
from concurrent.futures import BrokenExecutor, Future

import pytest
from many_tables import ASKED, LAW, MANY, OBJECTIVES, assert_same, content

import jaxscale as js
from jaxscale import stopping
from jaxscale.errors import JaxscaleError
from jaxscale.parts import batches
from jaxscale.reports import studies_document
from jaxscale.store import load_studies
from jaxscale.store.listing import read_list


class Lastly:
    """An executor of two workers whose answers come at once, each order pickled on the way; the first ones are lost."""

    _max_workers = 2

    def __init__(self, lost=0, error=BrokenExecutor):
        self.lost, self.error, self.orders = lost, error, []

    def submit(self, call, order):
        self.orders.append(order)
        future = Future()
        if len(self.orders) <= self.lost:
            future.set_exception(self.error("gone"))
        else:
            future.set_result(pickle.loads(pickle.dumps(call(pickle.loads(pickle.dumps(order))))))
        return future


def test_workers_make_the_same_bytes_and_answers(work, whole, tables, tmp_path):
    crew = Lastly()
    found = work(tmp_path / "workers", executor=crew)
    assert content(tmp_path / "workers") == whole[0]
    assert studies_document(found) == studies_document(whole[1])
    assert sorted(len(order.tables) for order in crew.orders) == [3, 3]  # those that share programs together
    memory = work(None, executor=Lastly())
    assert memory.failed == found.failed
    for key in found.found:
        assert_same(memory[key], found[key])


def test_a_worker_is_asked_for_so_many_at_a_time(work, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(MANY, "TOGETHER", 2)
    crew = Lastly()
    work(tmp_path / "workers", executor=crew)
    assert sorted(len(order.tables) for order in crew.orders) == [1, 1, 2, 2]
    assert content(tmp_path / "workers") == whole[0]


def test_studies_whose_worker_was_lost_are_made_by_another(work, whole, tmp_path):
    found = work(tmp_path / "workers", executor=Lastly(lost=1, error=ConnectionError))
    assert [note.code for note in found.findings] == ["parts-retried"]
    assert "3 studies from books, pure-power, huber on were submitted 2 times" in found.findings[0].message
    assert content(tmp_path / "workers") == whole[0]


def test_what_is_lost_three_times_ends_the_work_and_keeps_the_rest(work, whole, made, tmp_path):
    class Losing(Lastly):
        def submit(self, call, order):
            self.lost = 99 if b'"scale": 0.01' in order.request else 0
            return super().submit(call, order)

    with pytest.raises(JaxscaleError, match=r"3 studies from books, pure-power, huber\(0.01\) on were lost 3 times"):
        work(tmp_path / "workers", executor=Losing(error=ConnectionError))
    assert load_studies(tmp_path / "workers").counts == {"not-made": 3, "converged": 2, "refused": 1}
    made.clear()
    work(tmp_path / "workers", executor=Lastly())
    assert {objective for _, _, objective in made} == {"huber(0.01)"}
    assert content(tmp_path / "workers") == whole[0]


def test_a_stop_waits_for_the_studies_at_work_and_keeps_them(work, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(MANY, "TOGETHER", 1)
    crew = Lastly()
    try:
        with pytest.raises(KeyboardInterrupt):
            work(tmp_path / "workers", executor=crew, on_done=lambda count: stopping.ask(2))
    finally:
        stopping.forget()
    kept = read_list(tmp_path / "workers")
    assert len(crew.orders) == len(kept.there) + len(kept.whole.failed) == 4  # two for each of two workers
    work(tmp_path / "workers", executor=Lastly())
    assert content(tmp_path / "workers") == whole[0]


def test_a_worker_of_another_version_is_refused_by_its_name(work, tmp_path, monkeypatch):
    own = batches.answer
    other = {"jaxscale": "0.0.9", "jax": "0.9"}
    monkeypatch.setattr(MANY, "answer", lambda order: own(order)._replace(versions=other, worker="node7:12"))
    crew = Lastly()
    monkeypatch.setattr(crew, "submit", lambda call, order: _done(call(order)))
    with pytest.raises(JaxscaleError, match=r"node7:12' has jaxscale 0\.0\.9 and jax 0\.9"):
        work(tmp_path / "workers", executor=crew)


def _done(answer):
    future = Future()
    future.set_result(answer)
    return future


def test_a_text_that_names_no_executor_is_refused_before_a_folder_is_made(work, tmp_path):
    with pytest.raises(js.UsageError, match="neither an executor nor"):
        work(tmp_path / "none", executor="threads")
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_processes_of_this_machine_make_the_same_bytes(tables, whole, tmp_path):
    asked = {"objectives": OBJECTIVES, **ASKED}
    js.studies(tables, [LAW], folder=tmp_path / "processes", executor="processes:2", **asked)
    assert content(tmp_path / "processes") == whole[0]
