"""Which form of the pass over the rows a device gets for its float32 steps, with the reason, to be reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from jaxscale.errors import UsageError
from jaxscale.registry import unknown

if TYPE_CHECKING:
    from jaxscale.solvers.problem import Pass

Form: TypeAlias = Literal["plain", "kernel"]

FORMS = ("auto", "plain", "kernel")
PLATFORMS = ("cpu", "gpu", "tpu")

GAINS: Mapping[str, float] = MappingProxyType({})
"""Time of the plain pass over that of the kernel at 1e5 lanes, by device kind as JAX names it, each from a file
benchmarks/results/kernels-*.json that `python -m benchmarks kernels` wrote there. None so far."""

ASKED = "asked for"
INTERPRETED = "asked for; interpreted, which is slow: Pallas only interprets on a CPU"
ONLY_INTERPRETS = "Pallas only interprets on a CPU"
NO_KERNEL = "no kernel is written for the platform '{platform}'"
NOT_MEASURED = "the kernel was not measured on this device ({kind})"
FASTER = "measured on {kind}: the kernel is {gain:.2g} times as fast as XLA's own"
SLOWER = "measured on {kind}: the kernel is no faster than XLA's own ({gain:.2g} times)"


@dataclass(frozen=True)
class Choice:
    """What was chosen: the form, for which platform, and one line that says why."""

    form: Form
    platform: str
    reason: str

    @property
    def evaluate(self) -> Pass:
        """The function of that form; only what is asked for is imported, and Pallas takes two seconds."""
        if self.form == "plain":
            from jaxscale.solvers.problem import evaluate

            return evaluate
        from jaxscale.kernels import rows

        return {"cpu": rows.INTERPRETED, "gpu": rows.ON_GPU, "tpu": rows.ON_TPU}[self.platform]


def choose(platform: str, *, kind: str = "", form: str = "auto", gains: Mapping[str, float] = GAINS) -> Choice:
    """Return the pass for the float32 steps on a device; steps in float64 are the plain pass's everywhere.

    platform, kind: a device's `platform` and `device_kind`, as JAX names them.   form: `auto` lets the measurements
    decide; `plain` and `kernel` are obeyed.   Raises UsageError for an unknown form, and for a kernel on a platform
    that has none.
    """
    if form not in FORMS:
        raise UsageError(unknown("form", form, FORMS))
    is_served = platform in PLATFORMS
    if form == "kernel":
        if not is_served:
            raise UsageError(NO_KERNEL.format(platform=platform))
        return Choice("kernel", platform, INTERPRETED if platform == "cpu" else ASKED)
    if form == "plain":
        return Choice("plain", platform, ASKED)
    if not is_served:
        return Choice("plain", platform, NO_KERNEL.format(platform=platform))
    if platform == "cpu":
        return Choice("plain", platform, ONLY_INTERPRETS)
    if kind not in gains:
        return Choice("plain", platform, NOT_MEASURED.format(kind=kind or platform))
    if gains[kind] > 1:
        return Choice("kernel", platform, FASTER.format(kind=kind, gain=gains[kind]))
    return Choice("plain", platform, SLOWER.format(kind=kind, gain=gains[kind]))
