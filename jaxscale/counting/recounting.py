"""The same runs counted another way: params, tokens and flops as a convention has them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jaxscale.counting import conventions, itemised
from jaxscale.counting.architecture import ALIASES, INSTEAD, WORDS, Words, known_words
from jaxscale.counting.conventions import Convention
from jaxscale.errors import RunsError, UsageError
from jaxscale.registry import Registry
from jaxscale.runs import Runs
from jaxscale.text import shown_name

CONVENTIONS: Registry[Convention] = Registry("convention", (*conventions.CONVENTIONS, *itemised.CONVENTIONS))
ALL = "all"
"""In place of names of conventions: every one that a table allows."""


NO_RECOUNT = "convention '{name}' ({formula}) does not count the training of a run; no table can be counted by it"
NOT_COUNTABLE = "{source}: the convention '{name}' {why}.\nThe table has {known}. Add such columns, or count otherwise."
OVERFLOW = "{source}: by the convention '{name}' {role} leave the range of float64; check the units of the table"
NEEDS = "needs {missing}"
NO_TRAINING = "does not count the training of a run"


def recount(runs: Runs, convention: Convention | str) -> Runs:
    """Return the same runs with the params, tokens or flops of a convention in place of the table's own.

    A column `tokens_per_param` moves along. Nothing else changes, and the origin says what was derived.   Raises
    UsageError for an unknown convention, or one that does not count training; RunsError for a table without the
    columns that it needs.
    """
    chosen = CONVENTIONS.resolve(convention)
    if chosen.counted is None:
        raise UsageError(NO_RECOUNT.format(name=chosen.name, formula=chosen.formula))
    known = known_words(runs)
    why = why_not(known, chosen)
    if why:
        source = shown_name(runs.origin.source)
        raise RunsError(NOT_COUNTABLE.format(source=source, name=chosen.name, why=why, known=", ".join(known.columns)))
    with np.errstate(over="ignore"):
        made = chosen.counted(known.columns)
    changed = {role: np.array(column, dtype=np.float64) for role, column in made.items()}
    if not changed:
        return runs
    for role, column in changed.items():
        if not np.isfinite(column).all():
            raise RunsError(OVERFLOW.format(source=shown_name(runs.origin.source), name=chosen.name, role=role))
    columns = {**runs.columns, **changed}
    if "tokens_per_param" in runs.columns:
        moved = columns["tokens"] / columns["params"] * (runs["params"] / runs["tokens"])
        columns["tokens_per_param"] = runs["tokens_per_param"] * moved
    headers = {role: header for role, header in runs.origin.columns.items() if role not in changed}
    derived = {role: formula for role, formula in runs.origin.derived.items() if role not in changed}
    origin = replace(runs.origin, columns=headers, derived={**derived, **dict(chosen.derived)})
    return replace(runs, columns=columns, origin=origin)


def countable(runs: Runs) -> tuple[Convention, ...]:
    """Return the conventions by which a table can be counted, in their order."""
    known = known_words(runs)
    return tuple(one for one in CONVENTIONS if not why_not(known, one))


def uncountable(runs: Runs) -> dict[str, str]:
    """Return the name of each training convention by which a table cannot be counted, and what it needs."""
    known = known_words(runs)
    reasons = {one.name: why_not(known, one) for one in CONVENTIONS if one.counted is not None}
    return {name: why for name, why in reasons.items() if why}


def why_not(known: Words, convention: Convention) -> str:
    """Return why runs with these words cannot be counted so; nothing if they can."""
    if convention.counted is None:
        return NO_TRAINING
    missing = [word for word in convention.needs if word not in known.columns]
    return NEEDS.format(missing="; ".join(_described(word, known) for word in missing)) if missing else ""


def _described(word: str, known: Words) -> str:
    """Return the missing column with its substitutes, or the fault of the one that is there."""
    if word in known.faults:
        return known.faults[word]
    name = dict(zip(ALIASES, WORDS, strict=True)).get(word, word)
    return f"{name} ({INSTEAD[word]})" if word in INSTEAD else name
