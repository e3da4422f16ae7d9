"""Names of columns: of the roles, with the prefixes of trackers, and of params of one kind."""

from __future__ import annotations

import re
from collections.abc import Sequence

SIGMA, GROUP = "sigma", "group"
"""Roles that are there only where they are told: a name says too little of what is in such a column."""
RECOGNISED = ("params", "tokens", "flops", "loss", "weight")
"""The roles of a table that are recognised by name."""
ROLES = (*RECOGNISED, SIGMA)
STAGES = ("val", "valid", "validation", "eval", "evaluation", "test")
ALIASES: dict[str, tuple[str, ...]] = {
    "params": (
        "N", "n params", "num params", "params count", "param count", "n total", "total params", "params total",
        "n total params", "num total params", "model params",
        "parameters", "n parameters", "num parameters", "number of parameters", "parameter count", "total parameters",
        "model parameters", "model size", "number of params",
    ),
    "tokens": (
        "D", "n tokens", "num tokens", "number of tokens", "token count", "tokens count", "total tokens",
        "training tokens", "train tokens", "tokens seen", "tokens trained", "dataset tokens", "dataset size",
    ),
    "flops": (
        "C", "flop", "n flops", "num flops", "total flops", "total flop", "training flop", "training flops",
        "train flop", "train flops", "compute", "training compute", "train compute", "total compute", "compute flops",
    ),
    "loss": (
        "L", *(f"{stage}{mark}loss" for stage in STAGES for mark in (" ", "/", ".")),
        "final loss", *(f"{word} {stage} loss" for word in ("final", "best") for stage in STAGES[:-1]),
    ),
    "weight": ("weights",),
}  # fmt: skip
LETTERS = ("n", "d", "c", "l")
"""Aliases that mean many things besides: taken only where no other column can play the role."""
SET_SIZES = (
    "dataset size", "dataset tokens", "data size", "data set size", "corpus size", "corpus tokens", "unique tokens",
    "n unique tokens", "num unique tokens", "tokens per epoch",
)  # fmt: skip
"""Names of how many tokens a data set holds, which a run sees once per epoch."""
EPOCHS = ("epochs", "epoch", "n epochs", "num epochs", "number of epochs", "train epochs", "num train epochs")
PREFIXES = (
    "config", "cfg", "conf", "summary", "metrics", "metric", "params", "parameters", "hparams", "hparam", "hyperparams",
    "hyperparameters", "args", "history", "run", "attributes",
)  # fmt: skip
"""What trackers put before a name: config.n_params (W&B), metrics.val_loss (MLflow), hparams/lr."""
SECTIONS = (*PREFIXES, "model", "data", "dataset", "arch", "architecture", "network", "trainer")
"""What may stand between such a prefix and the name."""
_SEPARATORS = re.compile(r"[\s_\-]+")
_SEGMENT = re.compile(r"[^./]+[./]")

UNIT_WORDS = {
    "k": 1e3, "thousand": 1e3, "thousands": 1e3, "m": 1e6, "mn": 1e6, "mil": 1e6, "million": 1e6, "millions": 1e6,
    "b": 1e9, "bn": 1e9, "bil": 1e9, "billion": 1e9, "billions": 1e9, "g": 1e9,
    "t": 1e12, "tn": 1e12, "trillion": 1e12, "trillions": 1e12,
}  # fmt: skip
"""Words of a header that name a unit, and the factors that they stand for."""
_NOUNS = frozenset({"params", "param", "parameters", "parameter", "nparams"})
_FILLERS = frozenset({"n", "num", "number", "of", "the", "count", "counts", "size", "model", "in", *UNIT_WORDS})
_KINDS = frozenset({"active", "activated", "total", "all", "dense", "sparse", "nonzero", "trainable", "nonembedding",
                    "nonembeddings", "nonemb", "nonembed", "noembedding", "noemb"})  # fmt: skip
_LEFT_OUT = frozenset({"embedding", "embeddings", "embed", "emb", "zero", "vocabulary", "vocab"})
_PREPOSITIONS = frozenset({"non", "no", "without", "with", "w", "o", "wo", "excl", "excluding", "exclude", "incl",
                           "including", "include", "ex"})  # fmt: skip
_LETTER_KINDS = _KINDS - {"dense", "sparse", "trainable", "nonzero", "all"}
"""Kinds that make params of the letter N: n_active, and no n_dense, which are layers."""


def plain(name: str) -> str:
    """Return the name as it is compared: without case, and with space, underscore and hyphen alike."""
    return _SEPARATORS.sub(" ", name.strip().strip("\ufeff").strip()).casefold()


_ROLE_OF = {plain(alias): role for role, aliases in ALIASES.items() for alias in (role, *aliases)}


def role_of(name: str) -> str | None:
    """Return the role that a column of this name plays, or None if the name says nothing."""
    return _ROLE_OF.get(plain(name))


def words_of(header: str) -> list[str]:
    """Return the words and numbers of a header, in small letters."""
    return re.findall(r"[a-z0-9]+", plain(header))


def bare_names(header: str) -> tuple[str, ...]:
    """Return the name, and what is left of it behind each prefix of a tracker, the longest first."""
    found = [header]
    allowed: tuple[str, ...] = PREFIXES
    while (match := _SEGMENT.match(found[-1])) and plain(match.group()[:-1]) in allowed:
        rest = found[-1][match.end() :]
        if not rest:
            break
        found.append(rest)
        allowed = SECTIONS
    return tuple(found)


def known_name(header: str) -> str | None:
    """Return that part of a header that has a role, in plain letters; None where none has."""
    return next((plain(name) for name in bare_names(header) if role_of(name) is not None), None)


def is_called(header: str, names: tuple[str, ...]) -> bool:
    """Return whether a header, or what is left of it behind a prefix, is one of these plain names."""
    return any(plain(name) in names for name in bare_names(header))


def is_qualified(header: str) -> bool:
    """Return whether a column counts params of some kind, by its name: `active_params`, `params (non-embedding)`.

    `embedding_params` are a part of them, and no count that a law could take.
    """
    words = words_of(bare_names(header)[-1])
    rest = {word for word in words if word not in _NOUNS and word not in _FILLERS}
    if not rest or not rest <= _KINDS | _LEFT_OUT | _PREPOSITIONS:
        return False
    is_kind = bool(rest & _KINDS) or bool(rest & _LEFT_OUT and rest & _PREPOSITIONS)
    if _NOUNS & set(words):
        return is_kind
    return words[0] == "n" and is_kind and not rest & (_KINDS - _LETTER_KINDS)


def rivals_of(headers: Sequence[str], chosen: Sequence[str]) -> list[str]:
    """Return the qualified columns that could be params as well as those chosen; none beside one called `params`."""
    if any(known_name(header) == "params" for header in chosen):
        return []
    return [header for header in headers if header not in chosen and is_qualified(header)]
