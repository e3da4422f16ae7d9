"""Programs kept in a folder, in Python as on the command line: by a call, by the environment, by several processes."""

import os
import subprocess
import sys

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

import jaxscale as js
from jaxscale.engine import caching, tracing
from jaxscale.errors import UsageError

SETTINGS = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
PROGRAM = """
import sys, jax, numpy as np
jax.jit(lambda x: x + 1)(1.0)  # JAX decides at the first program of a process whether there is a cache
import jaxscale as js
hits = []
jax.monitoring.register_event_listener(lambda event, **_: hits.append(event) if "cache_hits" in event else None)
if sys.argv[1:]:
    js.cache(sys.argv[1])
runs = js.Runs.from_arrays(params=np.geomspace(1e6, 1e9, 12), loss=2.0 + np.geomspace(1.0, 0.1, 12))
print(js.fit(runs, "pure-power-params").value, len(hits))
"""


@pytest.fixture
def unset(monkeypatch):
    """Let this process have no cache, and give it its own back."""
    before = {name: jax.config.values[name] for name in SETTINGS}
    monkeypatch.setattr(caching, "_ASKED", [])
    monkeypatch.setattr(tracing, "FOLDER", [])
    for name in (caching.VARIABLE, caching.JAX_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def set_to():
    """Return where JAX and the engine keep programs now."""
    return jax.config.values["jax_compilation_cache_dir"], [str(folder) for folder in tracing.FOLDER]


def test_a_named_folder_is_made_for_the_user_alone_and_used(unset, tmp_path):
    found = js.cache(tmp_path / "programs")
    assert found == tmp_path / "programs" / caching.leaf_name()
    assert [part.stat().st_mode & 0o777 for part in (found, found.parent)] == [0o700, 0o700]
    assert set_to() == (str(found), [str(found)])


def test_a_cache_that_jax_is_set_to_is_left_as_it_is(unset, tmp_path):
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    assert js.cache() == tmp_path
    assert set_to() == (str(tmp_path), [])
    assert list(tmp_path.iterdir()) == []


def test_the_environment_switches_it_on_once(unset, monkeypatch, tmp_path):
    caching.follow_environment()
    assert set_to() == (None, [])
    monkeypatch.setattr(caching, "_ASKED", [])
    monkeypatch.setenv(caching.VARIABLE, str(tmp_path / "one"))
    caching.follow_environment()
    used = str(tmp_path / "one" / caching.leaf_name())
    assert set_to() == (used, [used])
    monkeypatch.setenv(caching.VARIABLE, str(tmp_path / "other"))
    caching.follow_environment()
    assert set_to() == (used, [used])


def test_without_a_folder_it_is_that_of_the_command_line(unset, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = js.cache()
    assert found == caching.base_folder() / caching.leaf_name()
    assert found == caching.chosen()[0]


def test_an_empty_variable_leaves_it_off(unset, monkeypatch):
    monkeypatch.setenv(caching.VARIABLE, "")
    assert js.cache() is None
    assert set_to() == (None, [])


@pytest.mark.parametrize("is_named", [True, False])
def test_a_folder_that_others_can_write_to_is_refused(unset, monkeypatch, tmp_path, is_named):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    monkeypatch.setenv(caching.VARIABLE, str(tmp_path / "shared"))
    with pytest.raises(UsageError, match="others can write to this folder"):
        js.cache(*([tmp_path / "shared"] if is_named else []))
    assert set_to() == (None, [])


def test_a_named_folder_that_cannot_be_made_is_refused(unset, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot be made"):
        js.cache(tmp_path / "file" / "programs")


@pytest.mark.slow  # three processes
def test_processes_that_share_a_folder_agree_and_the_next_one_finds_their_programs(tmp_path):
    folder = tmp_path / "programs"
    words = [[], [str(folder)]]
    environment = {name: value for name, value in os.environ.items() if name != caching.JAX_VARIABLE}

    def start(given, variable):
        known = {**environment, caching.VARIABLE: variable}
        return subprocess.Popen([sys.executable, "-c", PROGRAM, *given], stdout=subprocess.PIPE, env=known)

    both = [start(given, str(folder) if not given else "") for given in words]
    values = [process.communicate(timeout=300)[0].split()[0] for process in both]
    kept = sorted(path.name for path in (folder / caching.leaf_name()).iterdir())
    value, hits = start([str(folder)], "").communicate(timeout=300)[0].split()
    assert {*values, value} == {value}
    assert int(hits) > 0
    traces = [name for name in kept if name.endswith(tracing.ENDING)]
    assert traces
    assert sorted(path.name for path in (folder / caching.leaf_name()).glob(f"*{tracing.ENDING}")) == traces
