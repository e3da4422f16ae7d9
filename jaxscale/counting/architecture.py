"""The shape of a decoder-only transformer, its params by each count, and the columns of a table that tell them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

import numpy as np

from jaxscale.costs.spec import Numbers
from jaxscale.costs.training import FORMULAS
from jaxscale.errors import UsageError
from jaxscale.finding import row_numbers
from jaxscale.registry import unknown
from jaxscale.runs import Runs
from jaxscale.runs.headers import normalised
from jaxscale.text import listed, shown

ParamCount: TypeAlias = Literal["total", "nonembedding", "nonembedding+head"]
PARAM_COUNTS: tuple[str, ...] = ("total", "nonembedding", "nonembedding+head")

NOT_POSITIVE = "architecture: {name} = {value!r} is not a positive, finite number"
NOT_KNOWN = "this count needs {missing} of the architecture; give it as Architecture({first}=…)"

AMBIGUOUS = "one column for {word} and not {names}"
COLUMN_NOT_POSITIVE = "a positive number in column {name}, row {rows}"

ALIASES: dict[str, tuple[str, ...]] = {
    "total": ("params total", "total params", "params with embedding", "params all"),
    "nonembedding": (
        "params non embedding", "params nonembedding", "nonembedding", "non embedding params", "nonembedding params",
        "params no embedding", "n non embedding",
    ),
    "active": ("params active", "active params", "activated params", "active"),
    "layers": ("layers", "n layers", "n layer", "num layers", "number of layers", "depth", "num hidden layers"),
    "width": ("width", "d model", "dim", "hidden size", "model dim", "hidden dim", "embedding dim", "n embd"),
    "heads": ("heads", "n heads", "n head", "num heads", "num attention heads"),
    "key_size": ("key size", "kv size", "head dim", "d head", "head size"),
    "feed_forward": ("feed forward", "ffw size", "ff size", "d ff", "ffn dim", "intermediate size", "ffw"),
    "vocabulary": ("vocabulary", "vocab", "vocab size", "vocabulary size", "n vocab"),
    "context": (
        "context", "n ctx", "context length", "context size", "sequence length", "seq len", "sequence", "block size",
    ),
}  # fmt: skip

WORDS = tuple(aliases[0].replace(" ", "_") for aliases in ALIASES.values())
"""The name of each column as messages have it."""

ROLES = ("params", "tokens", "flops")

INSTEAD = {
    "nonembedding": "or layers and width",
    "total": "or params beside a smaller nonembedding, or nonembedding, vocabulary and width",
    "flops": "measured, not 6 params tokens",
}
"""Substitutes for a missing word, or the condition on its column."""


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


@dataclass(frozen=True)
class Words:
    """The columns of a table about its networks: word → (n,) float64, and word → why its column cannot be used."""

    columns: Mapping[str, np.ndarray]
    faults: Mapping[str, str]


def known_words(runs: Runs) -> Words:
    """Return the columns of a table that conventions need.

    Flops that were derived as 6 params tokens are not there: they say nothing of their own. `nonembedding` and `total`
    follow from others where no column has them.
    """
    found, faults = dict[str, np.ndarray](), dict[str, str]()
    for word in (*ROLES, *ALIASES):
        names = _headers(runs, word)
        fault = _fault(runs, word, names)
        if fault:
            faults[word] = fault
        elif names:
            found[word] = runs[names[0]]
    return Words(_completed(found, len(runs)), faults)


def architecture_of(columns: Mapping[str, np.ndarray]) -> Architecture:
    """Return the shapes (n,) that columns by word tell; kH = d where the key size or the heads are not among them."""
    has_keys = {"key_size", "heads"} <= set(columns)
    return Architecture(
        columns["layers"],
        columns["width"],
        heads=columns.get("heads"),
        key_size=columns["key_size"] if has_keys else None,
        feed_forward=columns.get("feed_forward"),
        vocabulary=columns.get("vocabulary"),
        context=columns.get("context"),
    )


def attention_size(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return l s kH (n,), FLOP of attention per token over 6: 2 l s kH forward, three times that to train."""
    network = architecture_of(columns)
    return np.asarray(network.layers * network.known("context") * network.attention_width)


def _completed(found: dict[str, np.ndarray], rows: int) -> dict[str, np.ndarray]:
    """Return the columns with those that follow: `params` beside a smaller `nonembedding` are total; tied, else."""
    if {"params", "nonembedding"} <= set(found) and bool((found["params"] > found["nonembedding"]).all()):
        found.setdefault("total", found["params"])
    if {"layers", "width"} <= set(found):
        shape = np.asarray(architecture_of(found).params("nonembedding"))
        found.setdefault("nonembedding", np.broadcast_to(shape, rows))
    if {"nonembedding", "vocabulary", "width"} <= set(found):
        found.setdefault("total", found["nonembedding"] + found["vocabulary"] * found["width"])
    return found


def _headers(runs: Runs, word: str) -> list[str]:
    """Return the columns whose name is one of a word; a role is known by its own name, unless 6 N D made it."""
    if word in ROLES:
        return [word] if word in runs.columns and runs.origin.derived.get(word) != FORMULAS["flops"] else []
    return [name for name in runs.columns if normalised(name) in ALIASES[word] and runs[name].ndim == 1]


def _fault(runs: Runs, word: str, names: list[str]) -> str:
    """Return why the columns of these names, all of one word, cannot be used; nothing if they can."""
    if len(names) > 1:
        return AMBIGUOUS.format(names=" and ".join(shown(name) for name in names[:4]), word=word)
    if not names:
        return ""
    column = runs[names[0]]
    wrong = row_numbers(runs.row[~(np.isfinite(column) & (column > 0))])
    return COLUMN_NOT_POSITIVE.format(name=shown(names[0]), rows=listed(wrong)) if wrong else ""
