"""Where a result may be written, and that an interrupted save leaves the old result or none."""

import os
import shutil

import pytest
import store_answers as answers

from jaxscale.errors import StoreError, UsageError
from jaxscale.results import Study
from jaxscale.store import load, save

OWN = "0a1b2c3d"


class Killed(BaseException):
    """A process that ends here."""


@pytest.fixture
def kill(monkeypatch):
    """Return a switch that ends the process, so to speak, at the n-th call that moves or makes something."""

    def at(call):
        count = 0

        def guarded(original):
            def act(*args, **kwargs):
                nonlocal count
                count += 1
                if count == call:
                    raise Killed
                return original(*args, **kwargs)

            return act

        for name in ("replace", "rename", "fsync"):
            monkeypatch.setattr(os, name, guarded(getattr(os, name)))
        monkeypatch.setattr(shutil, "rmtree", lambda *args, **kwargs: None)  # a killed process cleans nothing up

    return at


def refused(folder, match, **options):
    with pytest.raises(StoreError, match=match) as refusal:
        save(folder, answers.fit(), **options)
    assert 1 <= len(str(refusal.value).splitlines()) <= 3


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_new_folder_is_made_with_its_parents_and_nothing_else(tmp_path):
    folder = save(tmp_path / "a" / "b", answers.fit())
    assert folder == tmp_path / "a" / "b"
    assert sorted(contents(folder)) == ["arrays.npz", "result.json"]
    assert [path.name for path in folder.parent.iterdir()] == ["b"]


def test_a_new_folder_has_the_usual_mode(tmp_path):
    (tmp_path / "usual").mkdir()
    assert save(tmp_path / "out", answers.fit()).stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_an_empty_folder_is_used(tmp_path):
    assert load(save(tmp_path, answers.fit())).fit.value == answers.fit().value


def test_a_relative_folder_is_meant_in_the_current_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert save("out", answers.fit()) == tmp_path / "out"
    assert load("out").fit.solver == "newton"


@pytest.mark.parametrize("digest", [None, "ffffffff"])
def test_a_result_of_another_computation_is_kept(tmp_path, digest):
    folder = save(tmp_path / "out", answers.fit(value=1.0), own_digest=OWN)
    before = contents(folder)
    refused(folder, "force=True", own_digest=digest)
    assert contents(folder) == before


def test_a_result_without_a_digest_is_not_that_of_a_named_computation(tmp_path):
    folder = save(tmp_path / "out", answers.fit())
    refused(folder, "force=True", own_digest=OWN)


def test_the_same_computation_rewrites_its_own_folder(tmp_path):
    folder = save(tmp_path / "out", Study(answers.fit(value=1.0), answers.ensemble()), own_digest=OWN)
    save(folder, answers.fit(value=2.0), own_digest=OWN)
    assert load(folder).fit.value == 2.0
    assert load(folder).ensemble is None


def test_the_same_computation_may_be_saved_again_and_another_may_not(tmp_path):
    folder = save(tmp_path / "out", answers.fit())
    assert save(folder, answers.fit()) == folder
    for other in (Study(answers.fit(), answers.ensemble()), answers.fit(coefs={**answers.COEFS, "E": 1.9})):
        with pytest.raises(StoreError, match="holds something else"):
            save(folder, other)


def test_a_damaged_result_is_not_ones_own(tmp_path):
    folder = save(tmp_path / "out", answers.fit(), own_digest=OWN)
    (folder / "result.json").write_text("{")
    refused(folder, "force=True", own_digest=OWN)


def test_a_folder_with_other_files_is_refused_without_force(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    refused(tmp_path, "force=True", own_digest=OWN)
    assert sorted(contents(tmp_path)) == ["thesis.tex"]


def test_force_replaces_our_files_and_deletes_no_other(tmp_path):
    folder = save(tmp_path / "out", answers.fit(value=1.0))
    (folder / "thesis.tex").write_text("years of work")
    save(folder, answers.fit(value=2.0), force=True)
    assert load(folder).fit.value == 2.0
    assert (folder / "thesis.tex").read_text() == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("force", [False, True])
def test_a_file_is_refused_whatever_force_says(tmp_path, force):
    (tmp_path / "out").write_text("precious")
    refused(tmp_path / "out", "is a file", force=force)
    assert (tmp_path / "out").read_text() == "precious"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("target", ["folder", "nothing"])
def test_a_symbolic_link_is_refused_whatever_force_says(tmp_path, force, target):
    (tmp_path / "folder").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / target)
    refused(tmp_path / "out", "symbolic link", force=force)
    refused(f"{tmp_path}/out/", "symbolic link", force=force)
    assert not contents(tmp_path / "folder")


def test_a_link_among_our_files_is_replaced_and_its_target_kept(tmp_path):
    folder = save(tmp_path / "out", answers.fit())
    for name in ("result.json", "arrays.npz"):
        (folder / name).unlink()
        (tmp_path / f"precious-{name}").write_text("precious")
        (folder / name).symlink_to(tmp_path / f"precious-{name}")
    save(folder, answers.fit(), force=True)
    assert load(folder).fit.solver == "newton"
    assert (tmp_path / "precious-result.json").read_text() == "precious"
    assert (tmp_path / "precious-arrays.npz").read_text() == "precious"


@pytest.mark.parametrize("name", ["result.json", "arrays.npz"])
def test_a_folder_where_a_file_must_go_is_refused_before_anything_is_replaced(tmp_path, name):
    folder = save(tmp_path / "out", answers.fit())
    (folder / name).unlink()
    (folder / name).mkdir()
    before = sorted(path.name for path in folder.iterdir())
    refused(folder, "holds a folder named", force=True)
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_name_that_no_folder_can_have_is_refused(tmp_path):
    refused("a\0b", "NUL")
    refused(tmp_path / ("x" * 300), "could not be written")
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file" / "out", "could not be written")


def test_a_name_with_control_characters_cannot_forge_a_line(tmp_path):
    folder = save(tmp_path / "a\nb\x1b[31m", answers.fit())
    refused(folder, r"a\\nb\\x1b", own_digest=OWN)


def test_a_disk_without_room_is_reported_and_leaves_nothing(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refused(tmp_path / "out", "No space left")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_kill_before_the_end_leaves_no_new_folder(tmp_path, kill, call):
    kill(call)
    with pytest.raises(Killed):
        save(tmp_path / "out", answers.fit(), own_digest=OWN)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_kill_while_rewriting_leaves_the_old_result_or_one_that_is_refused(tmp_path, kill, monkeypatch, call):
    folder = save(tmp_path / "out", answers.ensemble(), own_digest=OWN)
    with monkeypatch.context():
        kill(call)
        with pytest.raises(Killed):
            save(folder, answers.ensemble(replicates=20), own_digest=OWN)
    if call < 4:
        assert len(load(folder).ensemble) == 12
    else:
        with pytest.raises(StoreError, match="its save was cut off"):
            load(folder)


def test_after_a_kill_the_same_command_writes_its_folder_again(tmp_path, kill, monkeypatch):
    folder = save(tmp_path / "out", answers.ensemble(), own_digest=OWN)
    kill(4)
    with pytest.raises(Killed):
        save(folder, answers.ensemble(replicates=20), own_digest=OWN)
    monkeypatch.undo()
    save(folder, answers.ensemble(replicates=20), own_digest=OWN)
    assert len(load(folder).ensemble) == 20


@pytest.mark.parametrize("thing", [None, 1, "fit", answers.frontier()], ids=lambda thing: type(thing).__name__)
def test_what_is_no_result_is_not_saved(tmp_path, thing):
    with pytest.raises(UsageError, match="cannot be saved by itself"):
        save(tmp_path / "out", thing)
    assert not list(tmp_path.iterdir())


def test_parts_of_different_computations_are_not_saved_together():
    other = answers.fit(coefs={**answers.COEFS, "E": 2.0})
    with pytest.raises(UsageError, match="another fit"):
        Study(answers.fit(), answers.ensemble(of=other))
    with pytest.raises(UsageError, match="3 replicates"):
        Study(answers.fit(), answers.ensemble(), answers.frontier(replicates=3))
