"""`jaxscale doctor`: what this installation has, and whether its arithmetic can be relied on."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from jaxscale.cli import cache, printing
from jaxscale.cli.helping import command
from jaxscale.cli.options import json_option
from jaxscale.cli.session import Session, talking
from jaxscale.names import SCHEMA_VERSION

if TYPE_CHECKING:
    from jaxscale.text import Json

NEEDED = (
    "jaxscale",
    "jax",
    "jaxlib",
    "optax",
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "click",
    "rich",
    "platformdirs",
)
OPTIONAL = {
    "pyarrow": ("reads Parquet", "pip install 'jaxscale[parquet]'"),
    "jax-cuda13-plugin": ("NVIDIA GPUs", "pip install 'jaxscale[gpu]'"),
}


@command()
@json_option
@talking
def doctor(session: Session, is_json: bool) -> None:
    """Show versions, devices, precision, the compile cache and optional parts.

    Exit code 1 says that float64 arithmetic does not work on the default device.
    """
    cache.prepare(session)
    from jaxscale.reports import json_text
    from jaxscale.reports.layout import fact_table, plain

    found = checkup()
    if is_json:
        printing.write(json_text(found.document()))
    else:
        rows = [(label, plain(text, "" if is_good else "bold red")) for label, text, is_good in found.lines()]
        printing.print_page(lambda console, width: console.print(fact_table(rows), width=width))
    if not found.has_float64:
        raise click.exceptions.Exit(1)


@dataclass(frozen=True)
class Checkup:
    """One look at this installation; a version is None where the package is missing."""

    versions: dict[str, str | None]
    devices: tuple[str, ...]
    row_pass: str
    has_float64: bool
    cache_folder: str | None
    cache_trouble: str | None
    optional: dict[str, str | None]

    def document(self) -> dict[str, Json]:
        """Return it for JSON."""
        return {
            "schema_version": SCHEMA_VERSION,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "versions": self.versions,
            "devices": list(self.devices),
            "row_pass": self.row_pass,
            "float64": self.has_float64,
            "cache": {"folder": self.cache_folder, "trouble": self.cache_trouble},
            "optional": self.optional,
        }

    def lines(self) -> Iterator[tuple[str, str, bool]]:
        """Yield label, text, and whether all is well with it."""
        yield "python", f"{platform.python_version()} on {platform.platform()}", True
        for name, found in self.versions.items():
            yield name, found or "missing", found is not None
        yield "devices", ", ".join(self.devices), True
        yield "row pass", self.row_pass, True
        kept = "float64 keeps 1 + 2^-52 on the default device"
        yield "precision", kept if self.has_float64 else "float64 does NOT work on the default device", self.has_float64
        folder = self.cache_folder or "off"
        yield "cache", f"{folder} ({self.cache_trouble or 'in use'})" if self.cache_folder else folder, True
        for name, found in self.optional.items():
            purpose, install = OPTIONAL[name]
            yield name, f"{found} ({purpose})" if found else f"not installed ({purpose}: {install})", True


def checkup() -> Checkup:
    """Look at this process and its devices; JAX is started."""
    import jax

    from jaxscale.engine import caching

    base = caching.base_folder()
    return Checkup(
        versions={name: _version(name) for name in NEEDED},
        row_pass=row_pass(),
        devices=tuple(f"{device.platform}:{device.id} {device.device_kind}" for device in jax.devices()),
        has_float64=float64_works(),
        cache_folder=None if base is None else str(base / caching.leaf_name()),
        cache_trouble=None if base is None else caching.refusal(base),
        optional={name: _version(name) for name in OPTIONAL},
    )


def row_pass() -> str:
    """Return which form of the pass over the rows the default device gets for float32 steps, and why."""
    from jaxscale.engine import placement
    from jaxscale.kernels import choose

    device = placement.current()
    choice = choose(device.platform, kind=device.device_kind)
    return f"{choice.form}: {choice.reason}"


def float64_works() -> bool:
    """Return whether the default device keeps the last bit of 1 + 2^-52 through a sum and an exponential."""
    import numpy as np
    from jax import lax  # whose operations are smaller programs than those of jax.numpy

    from jaxscale import precision

    last = 2.0**-52
    with precision.float64():
        total = np.asarray(lax.add(np.float64(1.0), np.float64(last)))
        grown = np.asarray(lax.exp(np.float64(1e-12)))
    return bool(total.dtype == np.float64 and total == 1.0 + last and abs(grown - (1.0 + 1e-12)) < 1e-15)


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None
