"""Shares of a study joined, in any order and from copies: the bytes of one process, or a refusal by what differs."""

import shutil
from itertools import permutations

import pytest
from large_studies import PART, REPLICATES, content, counting, flip, stop_after

import jaxscale as js
from jaxscale.errors import StoreError, UsageError
from jaxscale.parts import inventory
from jaxscale.stages import SILENT
from jaxscale.store.commits import locked

pytestmark = pytest.mark.usefixtures("remembered")


@pytest.fixture
def begun(begin, tmp_path):
    begin(tmp_path / "study", max_seconds=0)
    return tmp_path / "study"


@pytest.mark.parametrize("count", [1, 3, 16])
def test_shares_in_any_order_are_the_bytes_of_one_process(begin, begun, uninterrupted, count):
    for at in reversed(range(1, count + 1)):
        begin(begun, share=(at, count))
    if count > 1:
        assert js.merge(begun).is_whole
    assert content(begun) == content(uninterrupted)


@pytest.mark.parametrize("order", [*permutations(range(3))], ids=str)
def test_copies_in_any_order_are_the_bytes_of_one_process(begin, begun, uninterrupted, tmp_path, order):
    copies = []
    for at in range(3):
        copies.append(shutil.copytree(begun, tmp_path / f"copy-{at}"))
        begin(copies[-1], share=(at + 1, 3))
    found = js.merge(tmp_path / "joined", [copies[at] for at in order])
    assert (found.there, found.asked, found.parts) == (REPLICATES, REPLICATES, 5)
    assert content(tmp_path / "joined") == content(uninterrupted)


def test_what_is_missing_is_said(begin, begun, tmp_path):
    begin(begun, share=(2, 3))
    found = js.merge(begun)
    assert found.missing == ((0, PART), (2 * PART, 3 * PART), (3 * PART, 4 * PART))
    assert found == inventory(begun)
    assert not found.is_whole


def test_a_share_makes_no_part_that_the_study_has(begin, begun):
    begin(begun, is_stopping=stop_after(3))
    done = []
    begin(begun, share=(1, 2), **counting(done.append))
    assert sum(done) == REPLICATES - 4 * PART


def test_two_that_have_the_same_part_agree(begin, begun, uninterrupted, tmp_path):
    """Also where one was asked for fewer replicates, and its last part is the beginning of the other's."""
    short = shutil.copytree(begun, tmp_path / "short")
    begin(short, replicates=REPLICATES)
    begin(tmp_path / "few", replicates=200)
    for folders in ([short, tmp_path / "few"], [tmp_path / "few", short]):
        joined = tmp_path / f"joined-{folders[0].name}"
        assert js.merge(joined, folders).is_whole
        assert content(joined) == content(uninterrupted)


def test_two_that_differ_are_refused_and_nothing_is_written(begin, begun, small_fit, tmp_path, monkeypatch):
    from jaxscale.parts import solving

    other = shutil.copytree(begun, tmp_path / "other")
    begin(begun, is_stopping=stop_after(2))
    own = solving.Bench.solved

    def rounded(bench, rows, told=SILENT):
        answer = own(bench, rows)
        record = answer.record.copy()
        record["value"] *= 1 + 1e-15
        return answer._replace(record=record)

    monkeypatch.setattr(solving.Bench, "solved", rounded)
    begin(other)
    before = content(begun)
    with pytest.raises(StoreError, match=r"study and .*other: both hold replicates 0 … 63, and not the same bytes"):
        js.merge(begun, [other])
    assert content(begun) == before


def test_another_study_is_refused_by_what_differs(begun, small_fit, tmp_path):
    js.bootstrap(small_fit, replicates=REPLICATES, seed=8, folder=tmp_path / "other", part=PART, max_seconds=0)
    with pytest.raises(StoreError, match="other: is a study with another seed: 8 there, 7 here"):
        js.merge(begun, [tmp_path / "other"])


def test_a_damaged_part_is_left_out_and_named(begin, begun, uninterrupted):
    begin(begun, share=(1, 1))
    begin(begun, share=(1, 2), replicates=REPLICATES + PART)
    path = begun / "parts" / "000000000064-000000000128.npy"
    flip(path)
    found = js.merge(begun)
    assert found.missing[0] == (PART, 2 * PART)
    assert len(found.damaged) == 1
    assert path.name in found.damaged[0]


def test_what_is_no_study_is_refused(begun, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError, match="empty: holds no large study"):
        js.merge(begun, [tmp_path / "empty"])
    with pytest.raises(UsageError, match="nothing to merge"):
        js.merge(begun)


def test_a_share_alone_is_no_study_to_begin_from(begin, begun, tmp_path):
    begin(begun, share=(1, 2))
    share = shutil.copytree(begun / "shares" / "1-of-2", tmp_path / "share")
    with pytest.raises(StoreError, match="none of the folders holds the study itself"):
        js.merge(tmp_path / "new", [share])
    assert js.merge(begun, [share]).there > 0


def test_a_share_at_work_is_not_merged(begin, begun):
    begin(begun, share=(1, 2))
    with locked(begun / "shares" / "1-of-2"), pytest.raises(StoreError, match="another process is at work"):
        js.merge(begun)
