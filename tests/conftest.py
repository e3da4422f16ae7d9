"""What every test may ask for."""

import os
from pathlib import Path

import pytest

COMPILED = "JAXSCALE_TESTS_COMPILED"
"""The folder of programs that workers compile for one another and for later runs; the caller's, if it is set."""
KEPT = "JAXSCALE_TESTS_KEPT"
"""Set where the folder is one that outlives the run."""
NEED_SHARED = "JAXSCALE_TESTS_NEED_SHARED"
"""Set to 1, a test whose shared data are missing fails instead of being skipped."""
ROOT = Path(__file__).parents[1]
WHOLE = "--xla_cpu_parallel_codegen_split_count=1"
"""XLA compiles each program in one piece: the workers share the cores, and pieces that nobody else takes cost more."""


def pytest_addoption(parser):
    parser.addoption("--programs", action="store_true", help="list the programs that were compiled, and the tests")


def pytest_configure(config):
    """Let each program be compiled once, not once a worker and not once a run, and count them."""
    if WHOLE not in os.environ.get("XLA_FLAGS", ""):  # before JAX reads it; the workers find it set
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {WHOLE}".strip()
    import jax
    from hypothesis import settings
    from kept_programs import keep_traces, kept_folder
    from program_count import ProgramCount

    settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
    settings.load_profile("untimed")
    if COMPILED not in os.environ:  # the workers find it set
        os.environ[COMPILED] = str(kept_folder(config.rootpath / ".pytest_cache"))
        os.environ[KEPT] = "1"
    if os.environ.get(KEPT):  # a run that was killed may leave half a program there, which is compiled again
        config.addinivalue_line("filterwarnings", "ignore:Error reading persistent compilation cache entry")
    jax.config.update("jax_compilation_cache_dir", os.environ[COMPILED])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
    keep_traces(Path(os.environ[COMPILED]))
    count = ProgramCount(config)
    count.watch()
    config.pluginmanager.register(count, "program-count")


def missing(what):
    """Skip the test, or fail it where the caller says that all data are there."""
    (pytest.fail if os.environ.get(NEED_SHARED) else pytest.skip)(what)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real tables, ../shared/data or $JAXSCALE_SHARED; where it is missing the test is skipped."""
    folder = Path(os.environ.get("JAXSCALE_SHARED", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        missing(f"no real tables: {folder} is missing; set JAXSCALE_SHARED")
    return folder


@pytest.fixture(scope="session")
def field(shared_data) -> Path:
    """The folder of small tables that stand for what people bring; where it is missing the test is skipped."""
    folder = shared_data.parent / "field"
    if not folder.is_dir():
        missing(f"no tables from the field: {folder} is missing; set JAXSCALE_SHARED to the folder beside it")
    return folder


@pytest.fixture(scope="session")
def certified(shared_data) -> Path:
    """The folder of NIST's files; where it is missing the test is skipped."""
    folder = shared_data.parent / "nist"
    if not folder.is_dir():
        missing(f"no certified problems: {folder} is missing")
    return folder


@pytest.fixture(scope="session")
def epoch(shared_data):
    """The 240 runs of Besiroglu et al. 2024, read off figure 4 of Hoffmann et al. 2022."""
    import jaxscale as js

    return js.read_runs(shared_data / "epoch_chinchilla.csv", where=["in_paper_fit == 1"])


@pytest.fixture(scope="session")
def epoch_fit(epoch):
    """Chinchilla's law with Huber(1e-3) on log residuals, as published."""
    import jaxscale as js

    return js.fit(epoch)


@pytest.fixture(scope="session")
def epoch_ensemble(epoch_fit):
    """4,000 pairs replicates of `epoch_fit`, as published."""
    import jaxscale as js

    return js.bootstrap(epoch_fit, replicates=4000)


@pytest.fixture(scope="session")
def separable_law_table():
    """240 runs of Chinchilla's law on a wide design with 1 % noise: the shapes, and the programs, of `epoch`."""
    import numpy as np

    import jaxscale as js

    random = np.random.default_rng(11)
    columns = {"params": 10 ** random.uniform(7, 10, 240), "tokens": 10 ** random.uniform(9, 11.5, 240)}
    coefs = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    return js.simulate("chinchilla", coefs, columns=columns, noise=0.01, seed=5)
