"""The columns of a table that tell the shape and the size of each run's network, found by common names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jaxscale.costs.sizes import FORMULAS
from jaxscale.counting.architecture import Architecture
from jaxscale.finding import row_numbers
from jaxscale.runs import Runs
from jaxscale.runs.headers import normalised
from jaxscale.text import listed, shown

AMBIGUOUS = "one column for {word} and not {names}"
NOT_POSITIVE = "a positive number in column {name}, row {rows}"

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
"""What a word is made of where no column has it, and what it must be."""


@dataclass(frozen=True)
class Words:
    """What a table tells of its networks: word → column (n,) float64, and word → why its column cannot be used."""

    columns: Mapping[str, np.ndarray]
    faults: Mapping[str, str]


def known_words(runs: Runs) -> Words:
    """Return everything that a convention may need and the table has.

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
    return NOT_POSITIVE.format(name=shown(names[0]), rows=listed(wrong)) if wrong else ""
