"""The names under which other people keep params, tokens, flops, loss and weight, and what they put before them."""

from __future__ import annotations

import re

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
