"""The folder in which programs outlive a run of the tests, compiled and traced: one for each state of the code."""

import hashlib
import shutil
import time
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "jaxscale"
COMPILING = ("engine", "solvers", "laws", "objectives", "numerics", "resampling")
"""Folders whose change leaves few programs as they were."""
IN_USE = 3600
"""Seconds since a program was added, within which another run may be using a folder."""


def kept_folder(cache):
    """Return the folder of compiled programs in a cache, and remove those of other states of the code.

    Those of another version of jaxlib stay, since a clone may be tested with two, and so do those of the last hour,
    which another run may be using.
    """
    digest = hashlib.sha256()
    for path in sorted(path for name in COMPILING for path in (PACKAGE / name).rglob("*.py")):
        digest.update(path.read_bytes())
    begins = f"compiled-{version('jaxlib')}-"
    kept = cache / f"{begins}{digest.hexdigest()[:12]}"
    for other in cache.glob(f"{begins}*"):
        if other != kept and other.stat().st_mtime < time.time() - IN_USE:
            shutil.rmtree(other, ignore_errors=True)
    return kept


def keep_traces(folder):
    """Have the engine keep what it traces in a folder, as a command does.

    What is traced anew may be written otherwise after other programs, and was then compiled once a worker.
    """
    from jaxscale.engine import tracing

    traces = folder / "traces"
    traces.mkdir(parents=True, exist_ok=True)
    tracing.keep_in(traces)
