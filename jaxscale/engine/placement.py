"""Which device the work goes to: `auto`, or a kind that must be there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import jax
import numpy as np

from jaxscale.errors import MissingDependencyError, UsageError
from jaxscale.registry import unknown

AXIS = "replicate"
KINDS = ("auto", "cpu", "gpu", "tpu")

_SHARING: ContextVar[Callable[[], int]] = ContextVar("sharing", default=lambda: 1)
"""Returns how many computations share the cores with this one, itself included."""

DEVICE_MISSING = (
    "device '{kind}' is not there; JAX finds: {found}.\n"
    "For an NVIDIA GPU: pip install 'jaxscale[gpu]'; or use --device auto."
)


@contextmanager
def on(kind: str) -> Iterator[None]:
    """Run the work inside on the first device of a kind; `auto` leaves JAX's own choice.

    Raises UsageError for an unknown kind, MissingDependencyError where JAX has no such device.
    """
    if kind not in KINDS:
        raise UsageError(unknown("device", kind, KINDS))
    if kind == "auto":
        yield
        return
    try:
        device = jax.local_devices(backend=kind)[0]  # of several processes of jax.distributed, this one's
    except (RuntimeError, AssertionError) as error:  # a missing plug-in answers with either
        found = ", ".join(sorted({one.platform for one in jax.devices()}))
        raise MissingDependencyError(DEVICE_MISSING.format(kind=kind, found=found)) from error
    with jax.default_device(device):
        yield


def mesh() -> jax.sharding.Mesh | None:
    """Return the devices that replicates are spread over, as a mesh with the axis "replicate"; None for a single one.

    All local devices of the kind that JAX chose, unless one was chosen by `on` or by the caller.
    """
    if jax.config.values["jax_default_device"] is not None:
        return None
    found = [device for device in jax.local_devices() if device.platform == current().platform]
    return jax.sharding.Mesh(np.array(found), (AXIS,)) if len(found) > 1 else None


def threads() -> int:
    """Return how many program calls run side by side: one a core on a single CPU device, one elsewhere.

    Of computations that share the cores, each has its part of them.
    """
    if current().platform != "cpu" or mesh() is not None:
        return 1
    return max(1, (os.cpu_count() or 1) // _SHARING.get()())


@contextmanager
def sharing(count: Callable[[], int]) -> Iterator[None]:
    """Return a scope, of this thread, in which as many computations share the cores as `count` says when asked."""
    token = _SHARING.set(count)
    try:
        yield
    finally:
        _SHARING.reset(token)


def current() -> jax.Device:
    """Return the device that work started now goes to."""
    chosen = jax.config.values["jax_default_device"]
    if isinstance(chosen, jax.Device):
        return chosen
    return jax.local_devices(backend=chosen)[0] if isinstance(chosen, str) else jax.local_devices()[0]
