"""The memory of a model: of a device that serves it, and of devices that train it; bytes, smooth in its size."""

from __future__ import annotations

from jaxscale.costs.spec import Amounts, Cost

ASPECT = 128.0
"""Width over layers of a model whose shape is not known: that of models from 1e8 to 1e11 params, within a factor of
two.   Source: Kaplan et al. 2020, arXiv 2001.08361, fig. 5, where the loss hardly depends on it."""
STATE_BYTES = 16.0
"""Bytes per param in training with Adam and mixed precision: weights 2, gradients 2, and 12 of the optimiser's.
Source: Rajbhandari et al. 2020, arXiv 1910.02054, §3.1."""
ACTIVATION_BYTES = 34.0
"""Bytes per token, layer and unit of width that training keeps, where attention is computed in pieces.
Source: Korthikanti et al. 2023, arXiv 2205.05198, without its term in the sequence's length."""


def width_times_layers(params: Amounts) -> Amounts:
    """Return the width times the layers of N = 12 · layers · width² params at the usual ASPECT."""
    return ASPECT * (params / (12.0 * ASPECT**2)) ** (2.0 / 3.0)


def serving_bytes(
    params: Amounts,
    tokens: Amounts,
    *,
    bytes_per_param: Amounts,
    context: Amounts,
    sequences: Amounts,
    cache_share: Amounts,
) -> Amounts:
    """Return the bytes of weights and of the cache of keys and values of so many sequences of `context` tokens.

    cache_share: heads of keys and values over all heads, 1 where each head has its own; the cache holds two bytes a
    number.   Tokens of training play no part.
    """
    cache = 4.0 * width_times_layers(params) * cache_share * context * sequences
    return params * bytes_per_param + cache + 0.0 * tokens


def training_bytes(
    params: Amounts, tokens: Amounts, *, bytes_per_param: Amounts, tokens_per_device: Amounts, devices: Amounts
) -> Amounts:
    """Return the bytes on each of the devices that share weights, gradients and optimiser states among them.

    bytes_per_param: STATE_BYTES for Adam.   tokens_per_device: of the batch, whose activations a device keeps; less
    where they are computed again.   Tokens of training play no part.
    """
    kept = ACTIVATION_BYTES * width_times_layers(params) * tokens_per_device
    return params * bytes_per_param / devices + kept + 0.0 * tokens


SERVING_MEMORY = Cost(
    "serving-memory",
    serving_bytes,
    "bytes",
    "weights, and Pope et al. 2022, arXiv 2211.05102, for the cache",
    ("bytes_per_param", "context", "sequences", "cache_share"),
)
TRAINING_MEMORY = Cost(
    "training-memory",
    training_bytes,
    "bytes",
    "Rajbhandari et al. 2020, arXiv 1910.02054; Korthikanti et al. 2023, arXiv 2205.05198",
    ("bytes_per_param", "tokens_per_device", "devices"),
)
