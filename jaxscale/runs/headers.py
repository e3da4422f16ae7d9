"""Column headers: the role, the kind of params and the unit that each names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

SIGMA, GROUP = "sigma", "group"
"""Roles that are there only where they are told: a name says too little of what is in such a column."""
RECOGNISED = ("params", "tokens", "flops", "loss", "weight")
"""The roles of a table that are recognised by name."""
ROLES = (*RECOGNISED, SIGMA)
ROW = "row"
"""Name of the row number in a selection, from 1 in the original table, where no column has that name."""
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
"""Prefixes of trackers: config.n_params (W&B), metrics.val_loss (MLflow), hparams/lr."""
SECTIONS = (*PREFIXES, "model", "data", "dataset", "arch", "architecture", "network", "trainer")
"""Separators between such a prefix and the name."""
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

_PREFIXES = {"mega": 1e6, "giga": 1e9, "tera": 1e12, "peta": 1e15, "exa": 1e18, "zetta": 1e21, "yotta": 1e24} | {
    "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "z": 1e21, "y": 1e24,
}  # fmt: skip
_OF_TRAINING = frozenset({"train", "training", "trn"})
_FLOP = re.compile(r"(mega|giga|tera|peta|exa|zetta|yotta|[mgtpezy])f(?:lops?)?(/?s)?(days?|d)?")
_POWER = re.compile(r"1?e(\d{1,2})")


def normalised(name: str) -> str:
    """Return the name as it is compared: without case, and with space, underscore and hyphen alike."""
    return _SEPARATORS.sub(" ", name.strip().strip("\ufeff").strip()).casefold()


_ROLE_OF = {normalised(alias): role for role, aliases in ALIASES.items() for alias in (role, *aliases)}


def role_of(name: str) -> str | None:
    """Return the role of a column of this name, None for an unknown name."""
    return _ROLE_OF.get(normalised(name))


def words_of(header: str) -> list[str]:
    """Return the words and numbers of a header, in small letters."""
    return re.findall(r"[a-z0-9]+", normalised(header))


def bare_names(header: str) -> tuple[str, ...]:
    """Return the name, and what is left of it behind each prefix of a tracker, the longest first."""
    found = [header]
    allowed: tuple[str, ...] = PREFIXES
    while (match := _SEGMENT.match(found[-1])) and normalised(match.group()[:-1]) in allowed:
        rest = found[-1][match.end() :]
        if not rest:
            break
        found.append(rest)
        allowed = SECTIONS
    return tuple(found)


def headers_named(name: str, headers: Iterable[str]) -> list[str]:
    """Return the headers of that name but for case, spaces and hyphens, else those of that name behind a prefix."""
    headers = tuple(headers)
    found = [header for header in headers if normalised(header) == normalised(name)]
    return found or [header for header in headers if normalised(name) in map(normalised, bare_names(header))]


def header_named(name: str, headers: Iterable[str]) -> str | None:
    """Return the one header of that name, None where there is none or several."""
    found = headers_named(name, headers)
    return found[0] if len(found) == 1 else None


def known_name(header: str) -> str | None:
    """Return the part of a header that has a role, normalised; None where none has."""
    return next((normalised(name) for name in bare_names(header) if role_of(name) is not None), None)


def last_part_names(header: str, role: str) -> bool:
    """Return whether the last part of a dotted or slashed name has a role, as `pile/held_out/val_loss` has.

    Not for a letter, which may be anything, and not for a loss where a part before it speaks of training: `train/loss`
    is another loss, while `train/tokens` are those trained on.
    """
    *before, last = re.split(r"[./]", header)
    words = {word for part in before for word in words_of(part)}
    is_another = normalised(last) in LETTERS or (role == "loss" and bool(words & _OF_TRAINING))
    return bool(before) and not is_another and role_of(last) == role


def is_called(header: str, names: tuple[str, ...]) -> bool:
    """Return whether a header, or what is left of it behind a prefix, is one of these normalised names."""
    return any(normalised(name) in names for name in bare_names(header))


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


def factor_named(role: str, header: str) -> float | None:
    """Return the factor that the header of a role names; None where it names none."""
    words = _unit_parts(header)
    if role == "flops":
        factor = flop_factor(header)
        if factor is not None:
            return factor
    return next((factor for word in words[1:] if (factor := _factor(word)) is not None), None)


def flop_factor(header: str) -> float | None:
    """Return the FLOP in a unit of compute that a header names, as EFLOP or PF-days; None where it names none."""
    words = _unit_parts(header)
    joined = [*words, *("".join(pair) for pair in pairwise(words))]
    found = [match for match in map(_FLOP.fullmatch, joined) if match is not None]
    for match in found[::-1]:
        return _PREFIXES[match.group(1)] * (86_400.0 if match.group(3) else 1.0)
    return None


def without_units(header: str) -> str:
    """Return the normalised name in front of its unit: "params" for "Params (M)"."""
    words = _unit_parts(header)
    return " ".join([*words[:1], *(word for word in words[1:] if word != "in" and _factor(word) is None)])


def factor_text(factor: float) -> str:
    """Return 1e9 for 1e+09."""
    return re.sub(r"e([+-])0*", lambda match: "e" + match.group(1).strip("+"), f"{factor:g}")


def _factor(word: str) -> float | None:
    power = _POWER.fullmatch(word)
    return 10.0 ** int(power.group(1)) if power is not None else UNIT_WORDS.get(word)


def _unit_parts(header: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9/]+", header.casefold()) if word]
