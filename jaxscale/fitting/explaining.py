"""Whether a label of the runs, such as a tokenizer, explains what one law for all of them leaves over."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxscale.finding import Finding
from jaxscale.fitting.groups import MOST_COEFS
from jaxscale.laws import Law
from jaxscale.laws.grouped import grouping_of
from jaxscale.results import Fit
from jaxscale.runs.headers import plain
from jaxscale.runs.naming import RUN_NAMES, STATE_NAMES
from jaxscale.text import shown, typed

EXPLAINS = (
    "the {count} values of column {name} explain {share:.0%} of the squared residuals, so these are several "
    "kinds of runs; give each coefs of its own: --group {typed} --per-group {coefs}"
)

MOST_VALUES = 8
SPARE = 2
"""Rows that each value has besides one for each coef of its own."""
HALF, LEAST_RATIO = 0.5, 10.0
"""Share of the sum of squares from which a label is named, and the least ratio of the variances between and within."""


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
    is_candidate = 2 <= len(values) <= MOST_VALUES and plain(name) not in (*RUN_NAMES, *STATE_NAMES)
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
