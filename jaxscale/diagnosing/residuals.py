"""What the residuals still depend on: further columns, trends in the sizes, their spread, and the run."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np

from jaxscale.diagnosing.local import LocalModel
from jaxscale.fitting.data_checks import ACCURACIES, ERRORS, PERPLEXITIES
from jaxscale.fitting.errors import error_tests
from jaxscale.fitting.units import FROM_RUN, Units, sizes_of
from jaxscale.intervals.student import quantile
from jaxscale.laws.grouped import core_of
from jaxscale.results.diagnosis import ResidualTest
from jaxscale.results.errors import clipped
from jaxscale.runs.headers import normalised
from jaxscale.runs.naming import RUN_NAMES, SEED_NAMES

LEVEL = 0.01
"""Chance that one of all tests of a kind is found although nothing is there: Bonferroni's bound."""
OWN = 1e-4
"""Share of a column's variance that the coefs leave, below which it says nothing that they do not."""
OUTCOMES = frozenset({"loss", "losses", "perplexity", "seconds", "hours", "mfu"})
"""Words of columns that are results of a run, as its loss is, and explain nothing."""
FEWEST = 3
"""Distinct values of a column that is tried, or degrees of freedom of a test."""


class Outlook(NamedTuple):
    """The answer at the target, where it can be seen what a trend would do to it.

    sizes: name → ln of each size there.   gradient: of ln loss in theta (p,).   loss: there.
    """

    sizes: Mapping[str, float]
    gradient: np.ndarray
    loss: float

    @classmethod
    def of(cls, answers: np.ndarray, gradients: np.ndarray, flops: float | None) -> Outlook | None:
        """Return it from ln params, ln tokens and the loss (3,), and their gradients (3, p); None without an answer."""
        if flops is None or not (np.isfinite(answers).all() and np.isfinite(gradients[2]).all()):
            return None
        params, tokens, loss = (float(one) for one in answers)
        sizes = {"params": params, "tokens": tokens, "flops": math.log(flops), "tokens_per_param": tokens - params}
        return cls(sizes, gradients[2], loss)


class Term(NamedTuple):
    """A column that is tried: its values (m,) times the root of the weight, and its value at the target, or NaN."""

    name: str
    column: np.ndarray
    ahead: float = math.nan


def tests_of(units: Units, model: LocalModel, outlook: Outlook | None) -> tuple[ResidualTest, ...]:
    """Return the tests of further columns, of trends in the sizes, and of the errors' spread and tails.

    Each of the first two adds one column to the linearised law, by least squares on residuals that are clipped at 3
    typical ones. Standard errors allow for unequal spread (HC3), or where units are groups for their correlation. The
    threshold is Student's quantile at 1 % over the number of tests of the kind.   Source: Cook & Weisberg 1982, §2.3.4;
    MacKinnon & White 1985; Liang & Zeger 1986.
    """
    residual = clipped(-model.residual)
    root = np.sqrt(_weight(model, units))
    columns = [Term(name, root * one) for name, one in further_columns(units)]
    logs, ahead = sizes_of(units), {} if outlook is None else outlook.sizes
    trends = [Term(f"ln {name}", root * one, ahead.get(name, math.nan)) for name, one in logs.items()]
    for name, one in logs.items():
        beyond = ahead.get(name, math.nan) - one.mean()
        trends.append(Term(f"(ln {name})²", root * (one - one.mean()) ** 2, beyond**2))
    found = [
        *_added(units, model, residual, columns, "column", outlook),
        *_added(units, model, residual, trends, "trend", outlook),
    ]
    is_normal = model.fit.objective.name == "squared"
    return (*found, *error_tests(units, -model.residual, model.jacobian, logs, is_normal=is_normal))


def run_correlation_of(units: Units, model: LocalModel) -> tuple[float, tuple[float, float, float]] | None:
    """Return the intraclass correlation of the residuals of one group, F, and its degrees of freedom; None where
    units are rows.

    Source: Shrout & Fleiss 1979, case 1, with the mean size of unequal groups.
    """
    if units.kind == "row":
        return None
    residual, sizes = clipped(-model.residual), np.bincount(units.codes)
    means = np.bincount(units.codes, residual) / sizes
    count, groups = len(residual), len(sizes)
    within = float(np.sum((residual - means[units.codes]) ** 2)) / max(count - groups, 1)
    between = float(np.sum(sizes * (means - residual.mean()) ** 2)) / max(groups - 1, 1)
    typical = (count - float(np.sum(sizes**2)) / count) / max(groups - 1, 1)
    if within <= 0.0:
        return None
    value = (between - within) / (between + (typical - 1.0) * within)
    return value, (between / within, groups - 1.0, count - groups)


def _weight(model: LocalModel, units: Units) -> np.ndarray:
    """Return the weights (m,) that are in the residuals."""
    plain = model.fit.residuals[units.place]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(plain != 0.0, (model.residual / plain) ** 2, 1.0)


def further_columns(units: Units) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the numeric columns that the law does not take, in ln where they are positive."""
    runs, taken = units.fit.runs, {*core_of(units.fit.law).inputs, *FROM_RUN, "budget"}
    for name, column in runs.columns.items():
        words = set(re.split(r"[^a-z]+", name.casefold()))
        is_result = words & (OUTCOMES | ACCURACIES | PERPLEXITIES | ERRORS)
        if name in taken or column.ndim > 1 or is_result or normalised(name) in (*RUN_NAMES, *SEED_NAMES):
            continue
        own = column[units.place]
        if np.isfinite(own).all() and len(np.unique(own)) >= FEWEST:
            yield name, np.log(own) if (own > 0).all() else own


def _added(
    units: Units,
    model: LocalModel,
    residual: np.ndarray,
    terms: list[Term],
    kind: Literal["column", "trend"],
    outlook: Outlook | None,
) -> Iterator[ResidualTest]:
    """Yield the test of each term.

    Its effect at the target is the slope times what the coefs leave of it there, z - g c: c, its regression on the
    Jacobian, is how the coefs give way, and g the gradient of the loss. With the best size the loss moves by this
    alone, to first order (the envelope theorem).
    """
    length = np.linalg.norm(model.jacobian, axis=0)
    frame, singular, right = np.linalg.svd(model.jacobian / length, full_matrices=False)
    is_kept = singular > OWN**2 * singular.max(initial=0.0)
    frame, back = frame[:, is_kept], (right[is_kept].T / singular[is_kept]) / length[:, None]
    left = residual - frame @ (frame.T @ residual)
    dof = (len(units) if units.kind == "group" else len(residual)) - frame.shape[1] - 1
    tried = []
    scale = 1.0 if outlook is None or model.fit.objective.space == "log" else 1.0 / outlook.loss
    for name, column, ahead in terms:
        shared = frame.T @ column
        own = column - frame @ shared
        size = float(own @ own)
        if dof >= FEWEST and size > OWN * float(np.sum((column - column.mean()) ** 2)):
            moved = math.nan if outlook is None else scale * ahead - float(outlook.gradient @ (back @ shared))
            tried.append((name, own / size, moved))
    threshold = quantile(1.0 - LEVEL / max(len(tried), 1), dof) if tried else np.inf
    for name, own, moved in tried:
        slope = float(own @ residual)
        rest = left - slope * own / float(own @ own)
        if units.kind == "group":
            sums = np.bincount(units.codes, own * rest)
            std = float(np.sqrt(np.sum(sums**2) * len(sums) / max(len(sums) - 1, 1)))
        else:
            own_leverage = np.sum(frame**2, axis=1) + own**2 / float(own @ own)
            std = float(np.linalg.norm(own * rest / np.maximum(1.0 - own_leverage, OWN)))
        if std > 0.0:
            yield ResidualTest(name, kind, slope, std, slope / std, threshold, math.expm1(slope * moved))
