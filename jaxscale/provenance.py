"""Where a number was made: versions, backend, precision, and the seconds it took."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True)
class Provenance:
    """Versions of jaxscale, JAX, NumPy and Python, the backend and precision, and seconds, compile apart from run."""

    jaxscale: str
    jax: str
    numpy: str
    python: str
    backend: str
    precision: str
    compile_seconds: float
    run_seconds: float
    programs: int

    @classmethod
    def of(cls, backend: str, compile_seconds: float, run_seconds: float, programs: int) -> Provenance:
        """Return the provenance of a result made now, on this backend."""
        return cls(
            jaxscale=_version("jaxscale"),
            jax=_version("jax"),
            numpy=_version("numpy"),
            python=platform.python_version(),
            backend=backend,
            precision="float64",
            compile_seconds=compile_seconds,
            run_seconds=run_seconds,
            programs=programs,
        )


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # a source tree on the path, not installed
        return "unknown"
