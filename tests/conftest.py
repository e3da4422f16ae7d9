"""What every test may ask for."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

COMPILED = "JAXSCALE_TESTS_COMPILED"
"""The folder of programs that the workers of one run of the tests compile for one another."""


def pytest_configure(config):
    """Let each program be compiled once, not once a worker: two fifths of the time of all tests went into that."""
    import jax

    config.has_own_folder = COMPILED not in os.environ
    if config.has_own_folder:
        os.environ[COMPILED] = tempfile.mkdtemp()
    jax.config.update("jax_compilation_cache_dir", os.environ[COMPILED])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)


def pytest_unconfigure(config):
    if config.has_own_folder and not hasattr(config, "workerinput"):  # the workers are gone by then
        shutil.rmtree(os.environ[COMPILED], ignore_errors=True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real tables, ../shared/data or $JAXSCALE_SHARED; where it is missing the test is skipped."""
    folder = Path(os.environ.get("JAXSCALE_SHARED", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real tables: {folder} is missing; set JAXSCALE_SHARED")
    return folder


@pytest.fixture(scope="session")
def field(shared_data) -> Path:
    """The folder of small tables that stand for what people bring; where it is missing the test is skipped."""
    folder = shared_data.parent / "field"
    if not folder.is_dir():
        pytest.skip(f"no tables from the field: {folder} is missing; set JAXSCALE_SHARED to the folder beside it")
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
