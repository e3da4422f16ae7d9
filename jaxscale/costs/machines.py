"""What an accelerator does in an hour: its maker's peak rate, times the share of it that a run reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import numpy as np

from jaxscale.costs.spec import Numbers
from jaxscale.errors import UsageError
from jaxscale.registry import unknown

HOUR = 3_600
"""Seconds."""
NOT_A_SHARE = "utilisation = {share!r} is not above 0 and at most 1, the share of the peak rate that a run reaches"


@dataclass(frozen=True)
class Machine:
    """An accelerator.   peak: FLOP a second of dense products in BF16, FP16 where it has none; without sparsity."""

    name: str
    peak: float
    source: str


NVIDIA, GOOGLE, AMD = (
    "NVIDIA, data sheet of the {}",
    "Google Cloud, system architecture of {}",
    "AMD, data sheet of the {}",
)
MACHINES: tuple[Machine, ...] = (
    Machine("V100", 125e12, NVIDIA.format("V100 SXM2, FP16")),
    Machine("A100", 312e12, NVIDIA.format("A100 SXM")),
    Machine("H100", 989.4e12, NVIDIA.format("H100 SXM5; 1,978.9e12 there are with sparsity")),
    Machine("H200", 989.4e12, NVIDIA.format("H200 SXM; 1,978.9e12 there are with sparsity")),
    Machine("B200", 2250e12, NVIDIA.format("HGX B200; 4,500e12 there are with sparsity")),
    Machine("TPUv4", 275e12, GOOGLE.format("TPU v4")),
    Machine("TPUv5e", 197e12, GOOGLE.format("TPU v5e")),
    Machine("TPUv5p", 459e12, GOOGLE.format("TPU v5p")),
    Machine("TPUv6e", 918e12, GOOGLE.format("TPU v6e")),
    Machine("MI250X", 383e12, AMD.format("Instinct MI250X")),
    Machine("MI300X", 1307.4e12, AMD.format("Instinct MI300X")),
)
"""Peak rates as their makers state them for one device."""


@overload
def flops_of_hours(hours: float, machine: str, *, utilisation: float) -> float: ...
@overload
def flops_of_hours(hours: np.ndarray, machine: str, *, utilisation: float) -> np.ndarray: ...
def flops_of_hours(hours: Numbers, machine: str, *, utilisation: float) -> Numbers:
    """Return the FLOP of so many hours of one machine, at that share of its peak rate.

    machine: a name of MACHINES, whatever its case.   utilisation: above 0, at most 1; runs of large language models
    reached 0.21 to 0.46 of it (Chowdhery et al. 2022, arXiv 2204.02311, table 3).   Raises UsageError.
    """
    if isinstance(utilisation, bool) or not 0.0 < utilisation <= 1.0:
        raise UsageError(NOT_A_SHARE.format(share=utilisation))
    return hours * HOUR * machine_of(machine).peak * utilisation


def machine_of(name: str) -> Machine:
    """Return the machine of a name, whatever its case; raise UsageError for one that is not known."""
    found = next((one for one in MACHINES if one.name.casefold() == name.casefold()), None)
    if found is None:
        raise UsageError(unknown("machine", name, tuple(one.name for one in MACHINES)))
    return found
