"""The shape of a decoder-only transformer, and how many parameters it has by each way of counting them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

import numpy as np

from jaxscale.costs.spec import Numbers
from jaxscale.errors import UsageError
from jaxscale.registry import unknown

ParamCount: TypeAlias = Literal["total", "nonembedding", "nonembedding+head"]
PARAM_COUNTS: tuple[str, ...] = ("total", "nonembedding", "nonembedding+head")

NOT_POSITIVE = "architecture: {name} = {value!r} is not a positive, finite number"
NOT_KNOWN = "this count needs {missing} of the architecture; give it as Architecture({first}=…)"


@dataclass(frozen=True, eq=False)
class Architecture:
    """The shape of a network, or of n networks where its numbers are arrays (n,); float64.

    layers: l.   width: d, of the residual stream.   heads: H per layer.   key_size: k per head; None for kH = d.
    feed_forward: inner width of a feed-forward network; None for 4 d.   vocabulary: V.   context: tokens per sequence.
    experts: feed-forward networks per layer.   active_experts: those that one token passes.   matrices: those of
    d × feed_forward in each, 3 where it is gated.   is_tied: whether embedding and head are one matrix.

    Biases, gains of norms and position embeddings are not counted.   Raises UsageError for what is not positive.
    """

    layers: Numbers
    width: Numbers
    heads: Numbers | None = None
    key_size: Numbers | None = None
    feed_forward: Numbers | None = None
    vocabulary: Numbers | None = None
    context: Numbers | None = None
    experts: Numbers = 1.0
    active_experts: Numbers = 1.0
    matrices: Numbers = 2.0
    is_tied: bool = True

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self) if field.name != "is_tied"):
            given = getattr(self, name)
            if given is None:
                continue
            values = np.asarray(given, dtype=np.float64)  # integers would overflow: 72 B s l d^2 passes 2^63
            if not (np.isfinite(values).all() and (values > 0).all()):
                raise UsageError(NOT_POSITIVE.format(name=name, value=given))
            object.__setattr__(self, name, float(values) if values.ndim == 0 else values)

    def known(self, name: str) -> Numbers:
        """Return a number of the shape; raise UsageError where it was not given."""
        value: Numbers | None = getattr(self, name)
        if value is None:
            raise UsageError(NOT_KNOWN.format(missing=name, first=name))
        return value

    @property
    def attention_width(self) -> Numbers:
        """KH, the width of all heads together."""
        return self.width if self.key_size is None else self.key_size * self.known("heads")

    @property
    def dense_width(self) -> Numbers:
        """Inner width of a feed-forward network."""
        return 4.0 * self.width if self.feed_forward is None else self.feed_forward

    @property
    def embedding(self) -> Numbers:
        """V d, parameters of the embedding, and of the head."""
        return self.known("vocabulary") * self.width

    def params(self, count: ParamCount = "total") -> Numbers:
        """Return N: without embedding and head, with the head alone, or total; tied, the last two are equal.

        Source: 2 d l (2 kH + d_ff) = 12 l d^2 for two matrices, kH = d and d_ff = 4 d: Kaplan et al. 2020, arXiv
        2001.08361, table 1. Total is Hoffmann et al.'s count (2203.15556), with the head Porian et al.'s (2406.19146).
        """
        if count not in PARAM_COUNTS:
            raise UsageError(unknown("count of params", count, PARAM_COUNTS))
        layers = self._layers(self.experts)
        if count == "nonembedding":
            return layers
        return layers + self.embedding * (2.0 if count == "total" and not self.is_tied else 1.0)

    def active_params(self) -> Numbers:
        """Return the nonembedding params that one token passes: attention and the active experts."""
        return self._layers(self.active_experts)

    def _layers(self, experts: Numbers) -> Numbers:
        attention = 4.0 * self.width * self.attention_width
        return self.layers * (attention + experts * self.matrices * self.width * self.dense_width)
