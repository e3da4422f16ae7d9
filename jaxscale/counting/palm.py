"""PaLM's count, and the share of a machine's peak that a run makes use of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxscale.costs.spec import Numbers
from jaxscale.counting.architecture import Architecture
from jaxscale.counting.columns import architecture_of
from jaxscale.counting.spec import Convention, by_size

SOURCE = "Chowdhery et al. 2022, arXiv 2204.02311, appendix B"


def palm_flops_per_token(params: Numbers, architecture: Architecture) -> Numbers:
    """Return 6 N + 12 L H Q T (convention `palm`), training FLOP per token; Q is the key size, T the context.

    Source: Chowdhery et al. 2022, appendix B.
    """
    return 6.0 * params + 12.0 * _attention(architecture)


def palm_hardware_flops_per_token(params: Numbers, architecture: Architecture) -> Numbers:
    """Return 8 N + 16 L H Q T (convention `palm-hardware`): rematerialisation runs the forward pass a second time.

    Source: Chowdhery et al. 2022, appendix B.
    """
    return 8.0 * params + 16.0 * _attention(architecture)


def utilisation(tokens_per_second: Numbers, flops_per_token: Numbers, *, peak: Numbers) -> Numbers:
    """Return FLOP per second over the peak: MFU for `palm_flops_per_token`, HFU for the hardware's.

    peak: FLOP per second of all devices together.   Source: Chowdhery et al. 2022, appendix B.
    """
    return tokens_per_second * flops_per_token / peak


def _attention(architecture: Architecture) -> Numbers:
    return architecture.layers * architecture.attention_width * architecture.known("context")


def _size(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.asarray(palm_flops_per_token(columns["params"], architecture_of(columns)) / 6.0)


CONVENTIONS = (
    by_size(
        "palm",
        _size,
        formula="C = (6 N + 12 l kH s) D",
        words="params + 2 layers (key_size heads) context",
        source=SOURCE,
        needs=("params", "layers", "width", "context"),
    ),
    Convention("palm-hardware", "(8 N + 16 l kH s) D, rematerialised", SOURCE),
)
