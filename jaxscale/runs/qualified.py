"""Columns that count some of the parameters, as their names say: active ones, all, those without embeddings."""

from __future__ import annotations

from collections.abc import Sequence

from jaxscale.runs.aliases import bare_names, known_name, words_of
from jaxscale.runs.unit_words import UNIT_WORDS

_NOUNS = frozenset({"params", "param", "parameters", "parameter", "nparams"})
_FILLERS = frozenset({"n", "num", "number", "of", "the", "count", "counts", "size", "model", "in", *UNIT_WORDS})
_KINDS = frozenset({"active", "activated", "total", "all", "dense", "sparse", "nonzero", "trainable", "nonembedding",
                    "nonembeddings", "nonemb", "nonembed", "noembedding", "noemb"})  # fmt: skip
_LEFT_OUT = frozenset({"embedding", "embeddings", "embed", "emb", "zero", "vocabulary", "vocab"})
_PREPOSITIONS = frozenset({"non", "no", "without", "with", "w", "o", "wo", "excl", "excluding", "exclude", "incl",
                           "including", "include", "ex"})  # fmt: skip
_LETTER_KINDS = _KINDS - {"dense", "sparse", "trainable", "nonzero", "all"}
"""Kinds that make params of the letter N: n_active, and no n_dense, which are layers."""


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
