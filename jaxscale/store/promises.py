"""Conditions on a saved record: on its numbers, by the types of the fields, and on its parts together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.errors import StoreError, UsageError
from jaxscale.intervals import LikelihoodProfile
from jaxscale.laws import ExpressionLoss, Law, predict_with
from jaxscale.laws.grouped import core_of
from jaxscale.numerics.supports import Support
from jaxscale.provenance import Provenance
from jaxscale.results import EXPONENTS, QUANTITIES, Certificate, Count, Ensemble, Fit, Frontier, Joint, Nested
from jaxscale.runs import Runs
from jaxscale.status import Status
from jaxscale.store.profiles import verify_profile
from jaxscale.text import shown

if TYPE_CHECKING:  # which imports the promises of this file
    from jaxscale.store.codec import Reader

OTHER_FUNCTION = (
    "{place}: the law {name} that was given does not reproduce the saved residuals, so it is another equation.\n"
    "Give load the law that was fitted, or refit with this one."
)
TOLERANCE = 1e-6
"""Of a residual, absolute in log space and relative to the loss in linear space: far above rounding."""
MOST_SEEDS = 2**32


@dataclass(frozen=True)
class Promise:
    """A condition on every number, (…) → (…) bool, and the words for it: "not {words}" ends a refusal.

    dtypes: those that an array of such numbers may have.
    """

    words: str
    is_kept: Callable[[np.ndarray], np.ndarray]
    dtypes: tuple[type, ...] = (np.float64,)


ANYTHING = Promise("numbers", lambda numbers: np.ones(numbers.shape, bool))
NUMBER = Promise("a number", lambda numbers: ~np.isnan(numbers))
FINITE = Promise("finite", np.isfinite)
POSITIVE = Promise("finite and above zero", lambda numbers: np.isfinite(numbers) & (numbers > 0))
NOT_NEGATIVE = Promise("finite and zero or more", lambda numbers: np.isfinite(numbers) & (numbers >= 0))
POSITIVE_IF_ANY = Promise("above zero, or NaN for none", lambda numbers: ~(numbers <= 0))
NOT_NEGATIVE_IF_ANY = Promise("zero or more, or NaN for none", lambda numbers: ~(numbers < 0))
A_SHARE = Promise("between 0 and 1", lambda numbers: (numbers > 0) & (numbers < 1))
A_RANK_IF_ANY = Promise("0 … 1, or NaN for none", lambda numbers: ~((numbers < 0) | (numbers > 1)))
A_ROW = Promise("a row, counted from 1", lambda numbers: numbers >= 1, (np.int64,))
A_FLAG = Promise("0 or 1", lambda numbers: numbers.view(np.uint8) <= 1, (np.bool_,))
A_STATUS = Promise(
    "the code of " + ", ".join(str(one) for one in Status),
    lambda numbers: np.isin(numbers, [int(one) for one in Status]),
    (np.int8,),
)
A_TEXT = replace(ANYTHING, words="texts", dtypes=(object,))
A_COUNT = replace(NOT_NEGATIVE, dtypes=(np.int32, np.int64))

PROMISES: Mapping[type, Mapping[str, Promise]] = {
    Runs: {
        "row": A_ROW,
        "loss": FINITE,
        "weight": NOT_NEGATIVE,
        "sigma": POSITIVE,
        "columns": ANYTHING,
        "group": A_TEXT,
        "labels": A_TEXT,
    },
    Fit: {"std": NOT_NEGATIVE_IF_ANY, "residuals": ANYTHING, "covariance": ANYTHING, "robust": ANYTHING},
    Certificate: {"scaled_gradient": NOT_NEGATIVE_IF_ANY, "condition": NOT_NEGATIVE_IF_ANY},
    Joint: {"std": NOT_NEGATIVE_IF_ANY},
    Provenance: {"compile_seconds": NOT_NEGATIVE, "run_seconds": NOT_NEGATIVE},
    Ensemble: {
        "status": A_STATUS,
        "steps": A_COUNT,
        "coefs": ANYTHING,
        "value": ANYTHING,
        "without": A_FLAG,
        "covariance": ANYTHING,
        "fitted": FINITE,
    },
    Frontier: {
        "flops": POSITIVE,
        "params": POSITIVE_IF_ANY,
        "tokens": POSITIVE_IF_ANY,
        "loss": ANYTHING,
        "measured": POSITIVE,
        "fixed": NUMBER,
        "jackknife": ANYTHING,
        "ranks": A_RANK_IF_ANY,
        "std": NOT_NEGATIVE_IF_ANY,
        "point_std": NOT_NEGATIVE_IF_ANY,
        "robust_std": NOT_NEGATIVE_IF_ANY,
    },
    Nested: {"status": A_STATUS, "coefs": ANYTHING},
    LikelihoodProfile: {"roots": ANYTHING, "values": ANYTHING, "below": A_TEXT, "above": A_TEXT},
    Count: {"exponent": FINITE},
}
"""The condition on each field alone: on its number, or on every one in it."""


def within(support: Support) -> Promise:
    """Return the promise of a coef: in its support or at an edge of it; NaN is none."""
    return Promise("in its support", lambda coefs: ~((coefs < support.low) | (coefs > support.high)))


def verify_fit(reader: Reader, fit: Fit, path: str) -> None:
    """Raise StoreError where a fit and its table do not belong together."""
    runs, law = fit.runs, fit.law
    _verify_runs(reader, runs, f"{path}.runs")
    counts, is_usable = runs.weight > 0, fit.is_usable  # what failed may have ended anywhere, or nowhere
    has_value = [one for one in law.names if is_usable and one not in fit.unidentified]
    _verify_coefs(reader, f"{path}.coefs", fit.coefs, law, has_value)
    for part in ("std", "fixed", "unidentified", "held"):
        verify_names(reader, f"{path}.{part}", getattr(fit, part), law.names)
    for at, one in enumerate(fit.joint):
        verify_names(reader, f"{path}.joint[{at}].names", one.names, law.names)
    reader.keep(fit.value, FINITE if is_usable else ANYTHING, f"{path}.value")
    reader.keep(runs.loss, POSITIVE if fit.objective.space == "log" else FINITE, f"{path}.runs.loss", where=counts)
    for at, (name, column) in enumerate(runs.columns.items()):
        if name in law.inputs:
            reader.keep(column, FINITE, f"{path}.runs.columns.{at}")
    reader.shape(fit.residuals, (len(runs),), f"{path}.residuals")
    if fit.covariance is not None:
        reader.shape(fit.covariance, (len(law.names), len(law.names)), f"{path}.covariance")
    verify_names(reader, f"{path}.robust", fit.robust, ("rows", "groups"), "what sandwiches are of")
    for at, robust in enumerate(fit.robust.values()):
        reader.shape(robust, (len(law.names), len(law.names)), f"{path}.robust.{at}")
    reader.keep(fit.residuals, FINITE, f"{path}.residuals", where=counts & is_usable)
    for at, minimum in enumerate(fit.certificate.other_minima):
        _verify_coefs(reader, f"{path}.certificate.other_minima[{at}].coefs", minimum.coefs, law)


def verify_ensemble(reader: Reader, ensemble: Ensemble, path: str) -> None:
    """Raise StoreError where the parts of an ensemble do not belong together."""
    law = ensemble.fit.law
    if sorted(ensemble.coefs) != sorted(law.names):
        expected = "a list of the law's coefs: " + ", ".join(law.names)
        raise reader.wrong(f"{path}.coefs", list(ensemble.coefs), expected)
    if ensemble.seed >= MOST_SEEDS:
        raise reader.wrong(f"{path}.seed", ensemble.seed, f"below {MOST_SEEDS}")
    verify_names(reader, f"{path}.without", ensemble.without, law.names)
    reader.shape(ensemble.status, (None,), f"{path}.status")
    shape, usable, nowhere = ensemble.status.shape, ensemble.usable, np.zeros(len(ensemble.status), bool)
    arrays = {"value": ensemble.value, "steps": ensemble.steps}
    for part in ("without", "coefs"):
        arrays |= {f"{part}.{at}": one for at, one in enumerate(getattr(ensemble, part).values())}
    for name, array in arrays.items():
        reader.shape(array, shape, f"{path}.{name}")
    if ensemble.covariance is not None:
        reader.shape(ensemble.covariance, (*shape, len(law.names), len(law.names)), f"{path}.covariance")
    for at, known in enumerate(ensemble.fitted or ()):
        reader.shape(np.asarray(known), (len(ensemble.whole or ensemble.fit.runs),), f"{path}.fitted.{at}")
    if ensemble.jackknife is not None:
        if ensemble.jackknife.jackknife is not None or not ensemble.jackknife.scheme.is_listed:
            raise reader.wrong(f"{path}.jackknife", ensemble.jackknife.scheme.name, "a jackknife, without another one")
        verify_ensemble(reader, ensemble.jackknife, f"{path}.jackknife")
    if ensemble.nested is not None:
        _verify_nested(reader, ensemble.nested, law, f"{path}.nested")
    if ensemble.profile is not None:
        verify_profile(reader, ensemble.profile, (len(law.names),), f"{path}.profile")
    reader.keep(ensemble.value, FINITE, f"{path}.value", where=usable)
    supports = dict(zip(law.names, law.supports, strict=True))
    for at, (name, coefs) in enumerate(ensemble.coefs.items()):
        reader.keep(coefs, within(supports[name]), f"{path}.coefs.{at}")
        reader.keep(coefs, NUMBER, f"{path}.coefs.{at}", where=usable & ~ensemble.without.get(name, nowhere))


def _verify_nested(reader: Reader, nested: Nested, law: Law, path: str) -> None:
    if sorted(nested.coefs) != sorted(law.names):
        raise reader.wrong(f"{path}.coefs", list(nested.coefs), "a list of the law's coefs: " + ", ".join(law.names))
    if nested.seed >= MOST_SEEDS:
        raise reader.wrong(f"{path}.seed", nested.seed, f"below {MOST_SEEDS}")
    reader.shape(nested.status, (None, None), f"{path}.status")
    supports = dict(zip(law.names, law.supports, strict=True))
    for at, (name, one) in enumerate(nested.coefs.items()):
        reader.shape(one, nested.status.shape, f"{path}.coefs.{at}")
        reader.keep(one, within(supports[name]), f"{path}.coefs.{at}")


def verify_frontier(reader: Reader, frontier: Frontier, replicates: int | None, path: str) -> None:
    """Raise StoreError where the parts of a frontier do not belong together.

    replicates: of the ensemble beside it, None for any number.
    """
    law, point = frontier.law, frontier.at_point
    _verify_coefs(reader, f"{path}.coefs", frontier.coefs, law)
    verify_names(reader, f"{path}.fixed", frontier.fixed, law.inputs, "the law's inputs")
    reader.shape(frontier.flops, (None,), f"{path}.flops")
    shape: tuple[int | None, ...] = frontier.flops.shape
    if point is not None:
        if point.at_point is not None:
            raise reader.wrong(f"{path}.at_point.at_point", "an ensemble's", "null: a point is no ensemble")
        verify_frontier(reader, point, None, f"{path}.at_point")
        reader.shape(point.flops, shape, f"{path}.at_point.flops")
        shape = (replicates, *shape)
    for name in ("params", "tokens", "loss"):
        reader.shape(getattr(frontier, name), shape, f"{path}.{name}")
        shape = getattr(frontier, name).shape  # of the same replicates
    left = (None, *shape[1:])
    for part, wanted in (
        ("jackknife", left),
        ("ranks", left),
        ("std", shape),
        ("point_std", shape[1:]),
        ("robust_std", shape[1:]),
    ):
        verify_names(reader, f"{path}.{part}", getattr(frontier, part), QUANTITIES, "what a frontier says")
        for at, array in enumerate(getattr(frontier, part).values()):
            reader.shape(array, wanted, f"{path}.{part}.{at}")
    verify_names(reader, f"{path}.profile", frontier.profile, QUANTITIES, "what a frontier says")
    for name, profile in frontier.profile.items():
        verify_profile(reader, profile, frontier.flops.shape, f"{path}.profile.{name}")
    if frontier.exponents is not None:
        verify_profile(reader, frontier.exponents, (len(EXPONENTS),), f"{path}.exponents")


def verify_names(
    reader: Reader, path: str, names: Iterable[str], known: Iterable[str], words: str = "the law's coefs"
) -> None:
    """Raise StoreError for a name that is not known."""
    if not set(names) <= set(known):
        raise reader.wrong(path, list(names), f"a list of {words}")


def verify_function(reader: Reader, fit: Fit, own: Iterable[Law]) -> None:
    """Raise StoreError unless the saved residuals are those of a law that was given or typed: a name cannot tell."""
    core = core_of(fit.law)
    if core not in tuple(own) and not isinstance(core.loss, ExpressionLoss):
        return
    refusal = OTHER_FUNCTION.format(place=reader.place, name=shown(fit.law.name))
    try:
        predicted = predict_with(fit.law, fit.coefs, fit.runs.columns)
    except UsageError as error:
        raise StoreError(refusal) from error
    loss = fit.runs.loss
    with np.errstate(all="ignore"):
        is_log = fit.objective.space == "log"
        residual = np.log(predicted) - np.log(loss) if is_log else predicted - loss
        allowed = TOLERANCE * (1.0 if is_log else np.maximum(np.abs(loss), np.abs(predicted)))
        is_wrong = np.abs(residual - fit.residuals) > allowed  # False where either is NaN, as in a fit that failed
    if is_wrong.any():
        raise StoreError(refusal)


def _verify_runs(reader: Reader, runs: Runs, path: str) -> None:
    reader.shape(runs.row, (None,), f"{path}.row")
    arrays = {"loss": runs.loss, "weight": runs.weight, "sigma": runs.sigma, "group": runs.group}
    arrays |= {f"labels.{at}": label for at, label in enumerate(runs.labels.values())}
    for name, array in arrays.items():
        if array is not None:
            reader.shape(array, runs.row.shape, f"{path}.{name}")
    for at, column in enumerate(runs.columns.values()):  # a law whose input is a schedule has columns with two axes
        reader.shape(column, (*runs.row.shape, None)[: max(column.ndim, 1)], f"{path}.columns.{at}")
    if not runs.weight.any():
        raise reader.wrong_array(runs.weight, f"{path}.weight", "one in which a run counts")


def _verify_coefs(
    reader: Reader, path: str, coefs: Mapping[str, float], law: Law, has_value: Iterable[str] = ()
) -> None:
    """Raise StoreError unless there is one number for each of the law's coefs, in its support, at an edge, or NaN.

    has_value: coefs that are not NaN.
    """
    if set(coefs) != set(law.names):
        raise reader.wrong(path, list(coefs), "an object of the law's coefs: " + ", ".join(law.names))
    for name, support in zip(law.names, law.supports, strict=True):
        reader.keep(coefs[name], within(support), f"{path}.{name}")
    for name in has_value:
        reader.keep(coefs[name], NUMBER, f"{path}.{name}")
