"""Whether what was fitted as a loss is one: an accuracy rises, and a perplexity lies above any loss per token."""

from __future__ import annotations

import re

import numpy as np

from jaxscale.finding import TARGET_SUSPECT, Finding
from jaxscale.laws import Law
from jaxscale.results import Fit
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
