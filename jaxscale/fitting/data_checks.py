"""Checks of a table that need a fit: whether its target is a loss, and whether its runs are of one kind."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from jaxscale.finding import TARGET_SUSPECT, Finding
from jaxscale.fitting.groups import MOST_COEFS
from jaxscale.laws import Law
from jaxscale.laws.grouped import grouping_of
from jaxscale.results import Fit
from jaxscale.runs.headers import normalised
from jaxscale.runs.naming import RUN_NAMES, STATE_NAMES
from jaxscale.text import shown, typed

RISES = (
    "{column} rises in {share:.0%} of the pairs of runs of which one has more {what} and less of nothing, where a loss "
    "falls; "
)
SHARE = "it looks like an accuracy: fit what falls, {option}"
CALLED = "{column} is named as an accuracy and does not fall: fit what falls, {option}"
NO_LOSS = "say with --map which column holds the loss, or with --units-ok that it is this one"
PERPLEXITY = (
    "half of the numbers in {column} are above {limit:g}, which no loss in nats per token is: of a perplexity take the "
    "logarithm, {option}; for a loss that is no cross entropy there is --units-ok"
)
CALLED_PERPLEXITY = "{column} is named as a perplexity, whose logarithm is the loss: {option}"

MOST_LOSS = 12.0
"""Nats per token, near ln V of the largest vocabularies: guessing at random among 160,000 tokens costs as much."""
MOSTLY, FEWEST_PAIRS = 0.8, 4
"""Share of comparable pairs in which a loss rises, from which it is none; and how many pairs there must be."""
MOST_ROWS = 400
"""Rows that are compared in pairs, evenly chosen."""
ACCURACIES = frozenset({"acc", "accuracy", "accuracies", "score", "scores", "f1", "em", "bleu", "rouge", "mmlu", "auc"})
PERPLEXITIES = frozenset({"ppl", "perplexity", "perplexities", "ppx"})
ERRORS = frozenset({"error", "err", "errors", "mse", "rmse", "mae", "wer", "cer", "bits", "bpb", "bpc"})
SIZES = ("params", "tokens", "flops")
RATIO = "tokens_per_param"

EXPLAINS = (
    "the {count} values of column {name} explain {share:.0%} of the squared residuals, so these are several "
    "kinds of runs; give each coefs of its own: --group {typed} --per-group {coefs}"
)

MOST_VALUES = 8
SPARE = 2
"""Rows that each value has besides one for each coef of its own."""
HALF, LEAST_RATIO = 0.5, 10.0
"""Share of the sum of squares from which a label is named, and the least ratio of the variances between and within."""


def findings_of_target(fit: Fit) -> tuple[Finding, ...]:
    """Return that the target of a fit is no loss, at most one finding; nothing for a law of another target."""
    runs, law = fit.runs, fit.law
    if law.target != "loss" or runs.origin.units_ok:
        return ()
    header = runs.origin.columns.get("loss", "loss")
    words = _words(header)
    loss = runs.loss[runs.weight > 0]
    told = {"column": _column(header), "option": _option("log({name})", header)}
    if words & PERPLEXITIES:
        return (Finding(TARGET_SUSPECT, CALLED_PERPLEXITY.format(**told)),)
    share, falls = _rising(fit)
    if share is not None and share >= MOSTLY and falls:
        text = RISES.format(column=told["column"], share=share, what=" or ".join(_sizes(law)))
        return (Finding(TARGET_SUSPECT, text + _turned(loss, header)),)
    if words & ACCURACIES and (share is None or share > 0.5):
        option = _option(_complement(loss) or "1 - {name}", header)
        return (Finding(TARGET_SUSPECT, CALLED.format(column=told["column"], option=option)),)
    if np.median(loss) > MOST_LOSS and not words & ERRORS:
        return (Finding(TARGET_SUSPECT, PERPLEXITY.format(limit=MOST_LOSS, **told)),)
    return ()


def _rising(fit: Fit) -> tuple[float | None, bool]:
    """Return the share of comparable pairs in which the loss rises, None for few, and whether the law falls.

    Of two runs one is the larger if it has more of an input of size and less of none, and all else that the law takes
    is equal. A law falls unless its predictions rise in most of these pairs.
    """
    runs, law = fit.runs, fit.law
    rows = np.flatnonzero(runs.weight > 0)
    sizes = _sizes(law)
    if not sizes or any(runs.columns[name].ndim > 1 for name in law.inputs if name in runs.columns):
        return None, True
    rows = rows[np.lexsort([runs.loss[rows], *(runs[name][rows] for name in sizes)])]
    rows = rows[:: -(-len(rows) // MOST_ROWS)]
    table = np.stack([runs[name][rows] for name in sizes])
    others = [runs[name][rows] for name in law.inputs if name not in (*SIZES, RATIO)]
    is_larger = (table[:, :, None] >= table[:, None, :]).all(axis=0) & (table[:, :, None] > table[:, None, :]).any(
        axis=0
    )
    for other in others:
        is_larger &= other[:, None] == other[None, :]
    if is_larger.sum() < FEWEST_PAIRS:
        return None, True
    loss = runs.loss[rows]
    target = np.log(loss) if fit.objective.space == "log" else loss
    predicted = target + fit.residuals[rows]
    with np.errstate(invalid="ignore"):
        rises = predicted[:, None] > predicted[None, :]
    return float((loss[:, None] > loss[None, :])[is_larger].mean()), float(rises[is_larger].mean()) < MOSTLY


def _sizes(law: Law) -> tuple[str, ...]:
    """Return the inputs of a law that are sizes; params and tokens in place of their ratio."""
    return ("params", "tokens") if RATIO in law.inputs else tuple(name for name in law.inputs if name in SIZES)


def _turned(loss: np.ndarray, header: str) -> str:
    """Return what to do with a target that rises."""
    falling = _complement(loss)
    return NO_LOSS if falling is None else SHARE.format(option=_option(falling, header))


def _complement(loss: np.ndarray) -> str | None:
    """Return what falls where an accuracy, or one in percent, rises; None for other numbers."""
    if loss.min() < 0.0 or loss.max() > 100.0:
        return None
    return "1 - {name}" if loss.max() < 1.0 else "1 - {name} / 100" if loss.max() < 100.0 and loss.min() > 1.0 else None


def _option(formula: str, header: str) -> str:
    name = header if header.isidentifier() else f"`{header}`"
    return f"--map loss={typed(formula.format(name=name))}"


def _column(header: str) -> str:
    return "the loss" if header == "loss" else f"column {shown(header)} (loss)"


def _words(header: str) -> frozenset[str]:
    """Return the words of a header; none of a formula, which says what was done to them."""
    if re.search(r"[-+*/()^]\s|\(", header):
        return frozenset()
    return frozenset(word for word in re.split(r"[^a-z0-9]+", header.casefold()) if word)


def findings_of_labels(fit: Fit) -> tuple[Finding, ...]:
    """Return the label whose values tell the residuals of a fit apart best, if one does; at most one finding.

    The residuals' means by value are compared with their spread within, as in an analysis of variance. Nothing for a
    fit over groups already, and for a law without a coef in capitals, as scales and floors are written.
    """
    if grouping_of(fit.law) is not None:
        return ()
    rated = [(share, name, own) for name, label in fit.runs.labels.items() for share, own in _rated(fit, name, label)]
    if not rated:
        return ()
    share, name, own = max(rated)
    told: Mapping[str, object] = {"count": len(set(fit.runs.labels[name])), "name": shown(name), "share": share}
    return (Finding("label-explains", EXPLAINS.format(**told, typed=typed(name), coefs=",".join(own))),)


def _rated(fit: Fit, name: str, label: np.ndarray) -> list[tuple[float, tuple[str, ...]]]:
    """Return the share of the sum of squares that a label explains and the coefs to give each value; nothing if few."""
    counted = fit.runs.weight > 0
    values, places, sizes = np.unique(label[counted].astype(str), return_inverse=True, return_counts=True)
    own = _own(fit.law, fit.fixed, len(values))
    residuals = fit.residuals[counted]
    is_candidate = 2 <= len(values) <= MOST_VALUES and normalised(name) not in (*RUN_NAMES, *STATE_NAMES)
    if not (is_candidate and own and sizes.min() >= len(own) + SPARE and np.isfinite(residuals).all()):
        return []
    means = np.bincount(places, residuals) / sizes
    within, total = float(np.sum((residuals - means[places]) ** 2)), float(np.sum((residuals - residuals.mean()) ** 2))
    freedom = len(residuals) - len(values)
    if not total > 0.0:
        return []
    is_clear = (total - within) * freedom >= LEAST_RATIO * within * (len(values) - 1)
    return [(1.0 - within / total, own)] if is_clear and total - within >= HALF * total else []


def _own(law: Law, fixed: tuple[str, ...], groups: int) -> tuple[str, ...]:
    """Return the coefs that every group can have: floors and scales, as many as are fitted at once."""
    own = [name for name in law.names if name[0].isupper() and name not in fixed]
    while own and groups * len(own) + len(law.names) - len(own) > MOST_COEFS:
        own.pop()
    return tuple(own)
