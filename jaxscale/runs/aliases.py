"""The names under which other people keep params, tokens, flops, loss and weight."""

from __future__ import annotations

import re

ROLES = ("params", "tokens", "flops", "loss", "weight")
GROUP = "group"

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
        "L", "val loss", "val/loss", "valid loss", "validation loss", "eval loss", "eval/loss", "test loss",
        "final loss", "final val loss", "final eval loss",
    ),
    "weight": ("weights",),
}  # fmt: skip

_SEPARATORS = re.compile(r"[\s_\-]+")


def plain(name: str) -> str:
    """Return the name as it is compared: without case, and with space, underscore and hyphen alike."""
    return _SEPARATORS.sub(" ", name.strip().strip("\ufeff").strip()).casefold()


_ROLE_OF = {plain(alias): role for role, aliases in ALIASES.items() for alias in (role, *aliases)}


def role_of(name: str) -> str | None:
    """Return the role that a column of this name plays, or None if the name says nothing."""
    return _ROLE_OF.get(plain(name))
