"""Which device the work goes to: `auto`, or a kind that must be there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import jax

from jaxscale.errors import MissingPartError, UsageError
from jaxscale.registry import unknown

KINDS = ("auto", "cpu", "gpu", "tpu")

DEVICE_MISSING = (
    "device '{kind}' is not there; JAX finds: {found}.\n"
    "For an NVIDIA GPU: pip install 'jaxscale[gpu]'; or use --device auto."
)


@contextmanager
def on(kind: str) -> Iterator[None]:
    """Run the work inside on the first device of a kind; `auto` leaves JAX's own choice.

    Raises UsageError for an unknown kind, MissingPartError where JAX has no such device.
    """
    if kind not in KINDS:
        raise UsageError(unknown("device", kind, KINDS))
    if kind == "auto":
        yield
        return
    try:
        device = jax.devices(kind)[0]
    except (RuntimeError, AssertionError) as error:  # a missing plug-in answers with either
        found = ", ".join(sorted({one.platform for one in jax.devices()}))
        raise MissingPartError(DEVICE_MISSING.format(kind=kind, found=found)) from error
    with jax.default_device(device):
        yield


def current() -> jax.Device:
    """Return the device that work started now goes to."""
    chosen = jax.config.values["jax_default_device"]
    if isinstance(chosen, jax.Device):
        return chosen
    return jax.devices(chosen)[0] if isinstance(chosen, str) else jax.devices()[0]
