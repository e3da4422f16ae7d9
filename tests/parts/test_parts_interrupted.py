"""A large study ended at any step of its writing, and files damaged since: what was committed stays, and it goes on."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest
from large_studies import PART, REPLICATES, content, counting, flip

import jaxscale as js
from jaxscale.errors import StoreError
from jaxscale.store import beginning, commits
from jaxscale.store.manifest import read_manifest

pytestmark = pytest.mark.usefixtures("remembered")


class KilledError(BaseException):
    """What ends a process in these tests; nothing in the package may catch it."""


class Steps:
    """Counts the steps of writing, and ends the process at one of them: before it, after it, or amid a write."""

    def __init__(self, patch, at=None, kind="before"):
        self.taken, self.at, self.kind = 0, at, kind
        for module, name in (
            (commits, "_write"), (commits.os, "fsync"), (commits.os, "replace"), (commits, "sync_folder"),
        ):  # fmt: skip
            patch.setattr(module, name, self._watched(getattr(module, name), name))

    def _watched(self, own, name):
        def step(*given):
            self.taken += 1
            is_now = self.taken == self.at
            if is_now and self.kind == "amid" and name == "_write":
                own(given[0], bytes(given[1])[: len(given[1]) // 2])
            if is_now and self.kind in ("before", "amid"):
                raise KilledError
            own(*given)
            if is_now:
                raise KilledError

        return step


@pytest.fixture(scope="module")
def steps(begin, tmp_path_factory):
    """How many steps of writing a whole study takes."""
    with pytest.MonkeyPatch.context() as patch:
        counted = Steps(patch)
        begin(tmp_path_factory.mktemp("counted") / "study", part=150)
    return counted.taken


@pytest.fixture(scope="module")
def in_two_parts(begin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("two") / "study"
    begin(folder, part=150)
    return content(folder)


@pytest.mark.parametrize("kind", ["before", "amid", "after"])
def test_a_process_that_ends_at_any_step_leaves_what_goes_on_to_the_same_bytes(
    begin, steps, in_two_parts, tmp_path, kind
):
    assert steps > 30
    for at in range(1, steps + 1):
        folder = tmp_path / f"study-{at}"
        with pytest.MonkeyPatch.context() as patch:
            Steps(patch, at, kind)
            with pytest.raises(KilledError):
                begin(folder, part=150)
        kept = read_manifest(folder).there if (folder / "manifest.json").exists() else 0
        done = []
        begin(folder, part=150, **counting(done.append))
        assert sum(done) == REPLICATES - kept, f"step {at}: what was committed was made again"
        assert content(folder) == in_two_parts, f"step {at}"


def test_an_interrupt_in_a_part_leaves_those_before_it(begin, uninterrupted, tmp_path):
    done = []

    def interrupt(count):
        done.append(count)
        if sum(done) > 2 * PART:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin(tmp_path / "study", **counting(interrupt))
    assert len(js.load(tmp_path / "study").ensemble) == 2 * PART
    begin(tmp_path / "study")
    assert content(tmp_path / "study") == content(uninterrupted)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def exchange(path):
    other = sorted(path.parent.iterdir())[0]
    path.write_bytes(other.read_bytes())


DAMAGES = {"flipped": flip, "truncated": truncate, "missing": os.unlink, "exchanged": exchange}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_part_is_named_and_made_again_alone(begin, uninterrupted, tmp_path, damage):
    folder, done = tmp_path / "study", []
    begin(folder)
    path = sorted((folder / "parts").iterdir())[2]
    DAMAGES[damage](path)
    with pytest.raises(StoreError, match=rf"{path.name}: is not what was saved"):
        js.load(folder)
    made = begin(folder, **counting(done.append))
    assert sum(done) == PART
    assert [one for one in made.findings if one.code == "part-remade" and path.name in one.message]
    assert content(folder) == content(uninterrupted)


def test_a_damaged_survey_is_named_and_made_again(begin, uninterrupted, tmp_path):
    folder, done = tmp_path / "study", []
    begin(folder)
    flip(folder / "survey.npz")
    with pytest.raises(StoreError, match=r"survey\.npz: is not the survey"):
        js.load(folder)
    made = begin(folder, **counting(done.append))
    assert done == []
    assert [one for one in made.findings if "survey.npz" in one.message]
    assert content(folder) == content(uninterrupted)


def test_a_file_that_the_manifest_does_not_name_is_no_part(begin, uninterrupted, tmp_path):
    folder = tmp_path / "study"
    begin(folder, max_seconds=0)
    (folder / "parts" / "000000000000-000000000064.npy").write_bytes(b"left by a kill")
    (folder / ".manifest.json.draft").write_bytes(b"{")
    begin(folder)
    assert content(folder) == content(uninterrupted)


def test_an_edited_manifest_is_refused(begin, tmp_path):
    folder = tmp_path / "study"
    begin(folder)
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"asked": 300', '"asked": 400'))
    for read in (js.load, begin):
        with pytest.raises(StoreError, match=r"manifest\.json: is not the manifest .* SHA-256 is not that of its"):
            read(folder)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT], ids=["full", "read-only", "quota"])
def test_a_disk_that_takes_no_more_is_said_with_what_is_kept(begin, uninterrupted, tmp_path, monkeypatch, code):
    folder, own = tmp_path / "study", commits._write
    written = []

    def full(handle, data):
        written.append(len(data))
        if len(written) > 8:  # the four files of the beginning, and two parts with their manifests
            raise OSError(code, os.strerror(code))
        own(handle, data)

    monkeypatch.setattr(commits, "_write", full)
    with pytest.raises(StoreError) as refused:
        begin(folder)
    words = str(refused.value)
    assert f"the part of replicates 128 … 191 could not be written ({os.strerror(code)})" in words
    assert "128 replicates are kept there" in words
    assert not [*folder.rglob("*.draft")]
    monkeypatch.undo()
    assert len(js.load(folder).ensemble) == 2 * PART
    begin(folder)
    assert content(folder) == content(uninterrupted)


def test_a_folder_that_cannot_be_written_is_refused_in_a_line(begin, tmp_path, monkeypatch):
    folder, own = tmp_path / "study", os.open
    begin(folder, max_seconds=0)

    def read_only(path, flags, *more):
        if flags & os.O_RDWR:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return own(path, flags, *more)

    monkeypatch.setattr(commits.os, "open", read_only)
    with pytest.raises(StoreError, match=r"study: cannot be locked .*Read-only file system"):
        begin(folder)


def test_a_log_that_cannot_be_written_stops_nothing(begin, uninterrupted, tmp_path, monkeypatch):
    (tmp_path / "study" / beginning.LOG).mkdir(parents=True)
    begin(tmp_path / "study")
    assert content(tmp_path / "study") == content(uninterrupted)


WORK = """
import sys
import jax
import numpy as np
import jaxscale as js
jax.config.update("jax_compilation_cache_dir", sys.argv[2])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
columns = {"params": np.geomspace(1e6, 1e9, 30), "tokens": np.full(30, 1e10)}
runs = js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns=columns, noise=0.02, seed=1)
fit = js.fit(runs, "pure-power-params")
print("fitted", flush=True)
js.bootstrap(fit, replicates=300, seed=7, folder=sys.argv[1], part=4)
"""


@pytest.mark.slow
def test_a_killed_process_gives_its_lock_back_and_loses_no_part(begin, tmp_path):
    """The process is killed by SIGKILL as soon as it has committed some parts, and this one goes on at once."""
    begin(tmp_path / "whole", part=4)
    folder = tmp_path / "study"
    words = [sys.executable, "-c", WORK, str(folder), os.environ["JAXSCALE_TESTS_COMPILED"]]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None and len(list((folder / "parts").glob("0*.npy"))) < 3:
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept, done = read_manifest(folder).there, []
    assert 8 <= kept < REPLICATES
    begin(folder, part=4, **counting(done.append))
    assert sum(done) == REPLICATES - kept
    assert content(folder) == content(tmp_path / "whole")
