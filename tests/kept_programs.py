"""The folder in which compiled programs outlive a run of the tests, one for each state of the code."""

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
