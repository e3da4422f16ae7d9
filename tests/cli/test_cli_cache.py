"""The compile cache is used only where no other user can write, since compiled programs are code."""

import os
import time

import pytest

from jaxscale.cli import cache
from jaxscale.cli.session import Session
from jaxscale.engine import caching
from jaxscale.errors import UsageError


@pytest.fixture
def no_jax_setting(monkeypatch):
    """Keep the JAX of this process as it is, and collect what would have been set."""
    used = []
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setattr(caching, "use", used.append)
    return used


def test_a_new_cache_belongs_to_the_user_alone(no_jax_setting, monkeypatch, tmp_path):
    monkeypatch.setenv(caching.VARIABLE, str(tmp_path / "programs"))
    cache.prepare(Session())
    (folder,) = no_jax_setting
    assert folder.parent == tmp_path / "programs"
    assert [part.stat().st_mode & 0o777 for part in (folder, folder.parent)] == [0o700, 0o700]


def test_the_cache_is_apart_for_each_jaxlib(monkeypatch):
    from importlib.metadata import version

    assert f"jaxlib-{version('jaxlib')}-" in caching.leaf_name()


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_named_folder_that_others_can_write_to_is_refused(no_jax_setting, monkeypatch, tmp_path, mode):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(mode)
    monkeypatch.setenv(caching.VARIABLE, str(shared))
    with pytest.raises(UsageError, match="others can write to this folder"):
        cache.prepare(Session())
    assert no_jax_setting == []


def test_a_link_is_not_followed(no_jax_setting, monkeypatch, tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("real")
    monkeypatch.setenv(caching.VARIABLE, str(tmp_path / "link"))
    with pytest.raises(UsageError):
        cache.prepare(Session())


def test_a_default_folder_that_others_can_write_to_is_passed_over(no_jax_setting, monkeypatch, tmp_path, capsys):
    monkeypatch.delenv(caching.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "jaxscale").mkdir()
    (tmp_path / "jaxscale").chmod(0o777)
    cache.prepare(Session(is_debug=True))
    assert no_jax_setting == []
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_folder_that_cannot_be_made_turns_the_cache_off(no_jax_setting, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv(caching.VARIABLE, str(tmp_path / "file" / "programs"))
    cache.prepare(Session())
    assert no_jax_setting == []


@pytest.mark.parametrize("variable", [caching.VARIABLE, "JAX_COMPILATION_CACHE_DIR"])
def test_the_cache_can_be_turned_off_and_left_to_jax(no_jax_setting, monkeypatch, variable):
    monkeypatch.setenv(variable, "" if variable == caching.VARIABLE else "elsewhere")
    cache.prepare(Session())
    assert no_jax_setting == []


def test_memory_is_not_taken_in_advance_unless_the_user_says_so(no_jax_setting, monkeypatch):
    import os

    monkeypatch.delenv("XLA_PYTHON_CLIENT_PREALLOCATE")
    cache.prepare(Session())
    assert os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "true")
    cache.prepare(Session())
    assert os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] == "true"


def test_what_is_being_written_when_the_process_ends_is_removed_and_the_rest_kept(tmp_path):
    for name, age in (("old", 60.0), ("young", 0.0)):
        (tmp_path / name).write_bytes(b"half a program")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    caching.drop_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    caching.drop_unfinished(tmp_path / "nowhere")
