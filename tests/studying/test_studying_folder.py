"""Many studies in a folder: each kept as soon as it is made, and gone on with to the same bytes."""

import os
import shutil

import pytest
from many_tables import ASKED, KEPT, LACKING, LAW, OBJECTIVES, assert_same, content

import jaxscale as js
from jaxscale.errors import StoreError
from jaxscale.reports import studies_document
from jaxscale.store import commits, load_studies, save_studies
from jaxscale.store.commits import locked
from jaxscale.store.listing import folder_names, read_list


class KilledError(BaseException):
    """What ends a process in these tests; nothing in the package may catch it."""


def test_a_folder_has_the_studies_of_memory_and_takes_no_time_again(work, whole, made, tables, tmp_path):
    bytes_of, found = whole
    memory = js.studies(tables, [LAW], objectives=OBJECTIVES, **ASKED)
    assert found.counts == memory.counts == {"converged": 4, "refused": 2}
    assert found.failed == memory.failed
    assert sorted(path.name for path in (tmp_path / "whole").iterdir() if path.is_dir()) == KEPT
    made.clear()
    again, read = work(tmp_path / "whole"), load_studies(tmp_path / "whole")
    assert made == []
    assert content(tmp_path / "whole") == bytes_of
    names = folder_names(found)
    for key in memory.found:
        for one in (found[key], again[key], read[key], js.load(tmp_path / "whole" / names[key])):
            assert_same(one, memory[key])
    assert studies_document(found) == studies_document(again) == studies_document(read)


@pytest.mark.parametrize("done", range(6))
def test_what_was_interrupted_goes_on_to_the_same_bytes(work, whole, made, tmp_path, done):
    counted = []

    def interrupt(count):
        counted.append(count)
        if len(counted) > done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(tmp_path / "part", on_done=interrupt)
    kept = read_list(tmp_path / "part")
    assert len(kept.there) + len(kept.whole.failed) == done + 1
    read = load_studies(tmp_path / "part")
    assert read.counts.get("not-made", 0) == len(kept.left) == 5 - done
    assert all(js.load(tmp_path / "part" / name).ensemble for name in KEPT if (tmp_path / "part" / name).exists())
    made.clear()
    assert work(tmp_path / "part").counts == whole[1].counts
    assert len(made) == 5 - done
    assert content(tmp_path / "part") == whole[0]


def test_a_study_whose_turn_has_not_come_is_no_refused_one(work, tmp_path):
    def interrupt(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(tmp_path / "part", on_done=interrupt)
    read = load_studies(tmp_path / "part")
    (key, *_) = read_list(tmp_path / "part").left
    assert not read.is_trustworthy
    assert (read.status(key), read.to_frame().loc[key, "status"]) == ("not-made", "not-made")
    with pytest.raises(js.UsageError, match="its turn has not come yet"):
        read[key]
    assert "not-made" in read.summary()


@pytest.mark.parametrize("kind", ["before", "after"])
def test_a_process_that_ends_at_any_step_of_writing_leaves_what_goes_on_to_the_same_bytes(
    work, whole, tmp_path, monkeypatch, kind
):
    def steps(patch, at=None):
        taken = [0]

        def watched(own):
            def step(*given, **named):
                taken[0] += 1
                if taken[0] == at and kind == "before":
                    raise KilledError
                found = own(*given, **named)
                if taken[0] == at:
                    raise KilledError
                return found

            return step

        for module, name in ((os, "fsync"), (os, "replace"), (os, "rename"), (commits, "_write"), (shutil, "rmtree")):
            patch.setattr(module, name, watched(getattr(module, name)))
        return taken

    with pytest.MonkeyPatch.context() as patch:
        total = steps(patch)
        work(tmp_path / "counted")
    assert total[0] > 40
    for at in range(1, total[0] + 1):
        folder = tmp_path / f"killed-{at}"
        with pytest.MonkeyPatch.context() as patch:
            steps(patch, at)
            with pytest.raises(KilledError):
                work(folder)
        work(folder)
        assert content(folder) == whole[0], f"step {at}"


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES = {
    "flipped": lambda one: flip(one / "arrays.npz"),
    "flipped result": lambda one: flip(one / "result.json"),
    "truncated": lambda one: (one / "arrays.npz").write_bytes((one / "arrays.npz").read_bytes()[:-1]),
    "missing": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_study_is_named_and_made_again_alone(work, whole, made, tmp_path, damage):
    folder = shutil.copytree(tmp_path / "whole", tmp_path / "damaged")
    DAMAGES[damage](folder / KEPT[2])
    found = work(folder)
    assert made == [(18, LAW, "huber")]
    assert [note.code for note in found.findings] == ["part-remade"]
    assert KEPT[2] in found.findings[0].message
    assert content(folder) == whole[0]


OTHERS = {
    "seed": ({"seed": 8}, "another seed: 7 there, 8 here"),
    "replicates": ({"replicates": 31}, "another number of replicates: 30 there, 31 here"),
    "level": ({"level": 0.9}, "another level"),
    "budgets": ({"budgets": [1e22]}, "another choice of budgets"),
    "interval": ({"interval": "basic"}, "another interval: percentile there, basic here"),
    "scheme": ({"scheme": "bayesian"}, "another scheme"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_request_is_refused_by_what_differs(work, whole, tmp_path, name):
    options, words = OTHERS[name]
    with pytest.raises(StoreError, match=words) as refused:
        work(tmp_path / "whole", **options)
    assert "force" in str(refused.value)
    assert content(tmp_path / "whole") == whole[0]


def test_other_tables_laws_and_objectives_are_refused_and_replaced_by_force(tables, whole, tmp_path):
    folder, other = tmp_path / "whole", {**tables, "web": tables["books"]}
    for given, words in (
        ((other, [LAW]), "another table: web SHA-256"),
        (({"books": tables["books"]}, [LAW]), "another table: web SHA-256 .* there, web none here"),
        ((tables, [LAW, LACKING]), "another law: data-constrained none there"),
        ((dict(reversed(tables.items())), [LAW]), "another order"),
    ):
        with pytest.raises(StoreError, match=words):
            js.studies(*given, objectives=OBJECTIVES, folder=folder, **ASKED)
    with pytest.raises(StoreError, match="another objective"):
        js.studies(tables, [LAW], folder=folder, **ASKED)
    assert content(folder) == whole[0]
    js.studies({"books": tables["books"]}, [LAW], folder=folder, force=True, **ASKED)
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == KEPT[:1]


def test_a_folder_with_something_else_in_it_is_left_alone(work, whole, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    save_studies(tmp_path / "saved", whole[1])
    for name, words in (("other", "not empty"), ("saved", "saved when they were made")):
        before = content(tmp_path / name)
        with pytest.raises(StoreError, match=words):
            work(tmp_path / name)
        assert content(tmp_path / name) == before


def test_two_processes_do_not_work_in_one_folder(work, whole, tmp_path):
    with locked(tmp_path / "whole"), pytest.raises(StoreError, match="another process is at work on these studies"):
        work(tmp_path / "whole")


def test_an_edited_list_is_refused(work, whole, tmp_path):
    path = tmp_path / "whole" / "studies.json"
    path.write_text(path.read_text().replace('"seed": 7', '"seed": 8'))
    with pytest.raises(StoreError, match="SHA-256"):
        work(tmp_path / "whole")
