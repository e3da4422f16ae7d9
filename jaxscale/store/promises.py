"""What the types promise of their numbers: a record with the right digests may hold others all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.errors import StoreError, UsageError
from jaxscale.laws import ExpressionLoss, Law, predict_with
from jaxscale.laws.grouped import core_of
from jaxscale.numerics.supports import Support
from jaxscale.provenance import Provenance
from jaxscale.results import Ensemble, Fit, Frontier
from jaxscale.runs import Runs
from jaxscale.status import Status
from jaxscale.store.specs import wrong_field
from jaxscale.text import shown

ARRAY_BROKEN = "{place}: the array {name} holds {found} at {index}, not what is {expected}; fit again"
ARRAY_WRONG = "{place}: the array {name} is {found}, not {expected}; fit again"
OTHER_FUNCTION = (
    "{place}: the law {name} that was given does not reproduce the saved residuals, so it is another equation.\n"
    "Give load the law that was fitted, or refit with this one."
)
TOLERANCE = 1e-6
"""Of a residual, absolute in log space and relative to the loss in linear space: far above rounding."""
MOST_SEEDS = 2**32


@dataclass(frozen=True)
class Promise:
    """A condition on every number, (…) → (…) bool, and the words for it: "not {words}" ends a refusal."""

    words: str
    is_kept: Callable[[np.ndarray], np.ndarray]


ANYTHING = Promise("numbers", lambda numbers: np.ones(numbers.shape, bool))
NUMBER = Promise("a number", lambda numbers: ~np.isnan(numbers))
FINITE = Promise("finite", np.isfinite)
POSITIVE = Promise("finite and above zero", lambda numbers: np.isfinite(numbers) & (numbers > 0))
NOT_NEGATIVE = Promise("finite and zero or more", lambda numbers: np.isfinite(numbers) & (numbers >= 0))
POSITIVE_IF_ANY = Promise("above zero, or NaN for none", lambda numbers: ~(numbers <= 0))
NOT_NEGATIVE_IF_ANY = Promise("zero or more, or NaN for none", lambda numbers: ~(numbers < 0))
A_SHARE = Promise("between 0 and 1", lambda numbers: (numbers > 0) & (numbers < 1))
A_ROW = Promise("a row, counted from 1", lambda numbers: numbers >= 1)
A_FLAG = Promise("0 or 1", lambda numbers: numbers.view(np.uint8) <= 1)
A_STATUS = Promise(
    "the code of " + ", ".join(str(one) for one in Status),
    lambda numbers: np.isin(numbers, [int(one) for one in Status]),
)
Shape = tuple[int | None, ...]


def within(support: Support) -> Promise:
    """Return the promise of a coef: in its support or at an edge of it; NaN is none."""
    return Promise("in its support", lambda coefs: ~((coefs < support.low) | (coefs > support.high)))


@dataclass(frozen=True)
class Checker:
    """Refuses, by their path, numbers that break a promise.   document, archive: the files, for messages."""

    document: str
    archive: str

    def wrong(self, path: str, found: object, expected: str) -> StoreError:
        """Return the error for an invalid field of the document."""
        return wrong_field(self.document, path, found, expected)

    def number(self, path: str, number: float | None, promise: Promise) -> None:
        """Raise StoreError for a number of the document that breaks a promise; None is none."""
        if number is not None and not promise.is_kept(np.array(number)):
            raise self.wrong(path, number, promise.words)

    def names(self, path: str, names: Iterable[str], known: Iterable[str], words: str = "the law's coefs") -> None:
        """Raise StoreError for a name that is not known."""
        if not set(names) <= set(known):
            raise self.wrong(path, list(names), f"a list of {words}")

    def coefs(self, path: str, coefs: Mapping[str, float], law: Law, has_value: Iterable[str] = ()) -> None:
        """Raise StoreError unless there is one number for each of the law's coefs, in its support, at an edge, or NaN.

        has_value: coefs that are not NaN.
        """
        if set(coefs) != set(law.names):
            raise self.wrong(path, list(coefs), "an object of the law's coefs: " + ", ".join(law.names))
        for name, support in zip(law.names, law.supports, strict=True):
            self.number(f"{path}.{name}", coefs[name], within(support))
        for name in has_value:
            self.number(f"{path}.{name}", coefs[name], NUMBER)

    def array(
        self,
        path: str,
        array: np.ndarray,
        shape: Shape,
        promise: Promise = ANYTHING,
        where: ArrayLike = True,
        dtypes: tuple[type, ...] = (np.float64,),
    ) -> None:
        """Raise StoreError for an array of another shape or dtype, or with a number that breaks a promise.

        shape: None stands for any length.   where: bool, (…) or what broadcasts to it: of which numbers it is asked.
        """
        fits = len(shape) == array.ndim and all(
            wanted in (None, found) for wanted, found in zip(shape, array.shape, strict=True)
        )
        if not fits or array.dtype not in dtypes:
            kinds = " or ".join("text" if kind is object else np.dtype(kind).name for kind in dtypes)
            lengths = ", ".join("any" if length is None else str(length) for length in shape)
            found = f"{array.dtype.name} {array.shape}"
            raise StoreError(
                ARRAY_WRONG.format(place=self.archive, name=path, found=found, expected=f"{kinds} ({lengths})")
            )
        places = np.argwhere(~promise.is_kept(array) & np.asarray(where))
        if len(places):
            place = tuple(int(index) for index in places[0])
            value = array.view(np.int8)[place] if array.dtype == bool else array[place]
            told = {"found": value, "index": ", ".join(map(str, place)), "expected": promise.words}
            raise StoreError(ARRAY_BROKEN.format(place=self.archive, name=path, **told))


def verify_runs(check: Checker, runs: Runs, path: str) -> None:
    """Raise StoreError where a table promises what it does not keep."""
    check.array(f"{path}.row", runs.row, (None,), A_ROW, dtypes=(np.int64,))
    shape = (len(runs.row),)
    check.array(f"{path}.loss", runs.loss, shape, FINITE)
    check.array(f"{path}.weight", runs.weight, shape, NOT_NEGATIVE)
    if not runs.weight.any():
        found = f"{runs.weight.dtype.name} {runs.weight.shape}"
        expected = "one in which a run counts"
        raise StoreError(ARRAY_WRONG.format(place=check.archive, name=f"{path}.weight", found=found, expected=expected))
    for at, column in enumerate(runs.columns.values()):  # a law whose input is a schedule has columns with two axes
        check.array(f"{path}.columns.{at}", column, (*shape, None)[: max(column.ndim, 1)])
    if runs.sigma is not None:
        check.array(f"{path}.sigma", runs.sigma, shape, POSITIVE)
    if runs.group is not None:
        check.array(f"{path}.group", runs.group, shape, dtypes=(object,))
    for at, label in enumerate(runs.labels.values()):
        check.array(f"{path}.labels.{at}", label, shape, dtypes=(object,))


def verify_fit(check: Checker, fit: Fit, path: str = "fit") -> None:
    """Raise StoreError where a fit, or its table, promises what it does not keep."""
    runs, law = fit.runs, fit.law
    verify_runs(check, runs, f"{path}.runs")
    counts, is_usable = runs.weight > 0, fit.is_usable  # what failed may have ended anywhere, or nowhere
    check.coefs(
        f"{path}.coefs", fit.coefs, law, [one for one in law.names if is_usable and one not in fit.unidentified]
    )
    for part in ("std", "fixed", "unidentified", "held"):
        check.names(f"{path}.{part}", getattr(fit, part), law.names)
    for at, one in enumerate(fit.joint):
        check.names(f"{path}.joint[{at}].names", one.names, law.names)
        check.number(f"{path}.joint[{at}].std", one.std, NOT_NEGATIVE_IF_ANY)
    for name, error in fit.std.items():
        check.number(f"{path}.std.{name}", error, NOT_NEGATIVE_IF_ANY)
    check.number(f"{path}.value", fit.value, FINITE if is_usable else ANYTHING)
    check.array(f"{path}.runs.loss", runs.loss, (None,), POSITIVE if fit.objective.space == "log" else FINITE, counts)
    for at, (name, column) in enumerate(runs.columns.items()):
        if name in law.inputs:
            check.array(f"{path}.runs.columns.{at}", column, column.shape, FINITE)
    check.array(f"{path}.residuals", fit.residuals, (len(runs),), FINITE, counts & is_usable)
    certificate = fit.certificate
    for name in ("scaled_gradient", "condition"):
        check.number(f"{path}.certificate.{name}", getattr(certificate, name), NOT_NEGATIVE_IF_ANY)
    for at, minimum in enumerate(certificate.other_minima):
        check.coefs(f"{path}.certificate.other_minima[{at}].coefs", minimum.coefs, law)
    verify_provenance(check, fit.provenance, f"{path}.provenance")


def verify_ensemble(check: Checker, ensemble: Ensemble, path: str = "ensemble") -> None:
    """Raise StoreError where an ensemble promises what it does not keep."""
    law = ensemble.fit.law
    if sorted(ensemble.coefs) != sorted(law.names):
        raise check.wrong(f"{path}.coefs", list(ensemble.coefs), "a list of the law's coefs: " + ", ".join(law.names))
    if ensemble.seed >= MOST_SEEDS:
        raise check.wrong(f"{path}.seed", ensemble.seed, f"below {MOST_SEEDS}")
    check.array(f"{path}.status", ensemble.status, (None,), A_STATUS, dtypes=(np.int8,))
    shape, usable = ensemble.status.shape, ensemble.usable
    check.names(f"{path}.without", ensemble.without, law.names)
    for at, mask in enumerate(ensemble.without.values()):
        check.array(f"{path}.without.{at}", mask, shape, A_FLAG, dtypes=(np.bool_,))
    supports, nowhere = dict(zip(law.names, law.supports, strict=True)), np.zeros(shape, bool)
    for at, (name, coefs) in enumerate(ensemble.coefs.items()):
        check.array(f"{path}.coefs.{at}", coefs, shape, within(supports[name]))
        check.array(f"{path}.coefs.{at}", coefs, shape, NUMBER, usable & ~ensemble.without.get(name, nowhere))
    check.array(f"{path}.value", ensemble.value, shape, FINITE, usable)
    check.array(f"{path}.steps", ensemble.steps, shape, NOT_NEGATIVE, dtypes=(np.int32, np.int64))
    verify_provenance(check, ensemble.provenance, f"{path}.provenance")


def verify_frontier(check: Checker, frontier: Frontier, replicates: int | None, path: str = "frontier") -> None:
    """Raise StoreError where a frontier promises what it does not keep.

    replicates: of the ensemble beside it, None for any number.
    """
    law, point = frontier.law, frontier.at_point
    check.coefs(f"{path}.coefs", frontier.coefs, law)
    check.array(f"{path}.flops", frontier.flops, (None,), POSITIVE)
    budgets = (len(frontier.flops),)
    if point is not None:
        if point.at_point is not None:
            raise check.wrong(f"{path}.at_point.at_point", point.at_point, "null: a point is no ensemble")
        verify_frontier(check, point, None, f"{path}.at_point")
        check.array(f"{path}.at_point.flops", point.flops, budgets)
    shape = budgets if point is None else (replicates, *budgets)
    for name in ("params", "tokens", "loss"):
        promise = ANYTHING if name == "loss" else POSITIVE_IF_ANY
        check.array(f"{path}.{name}", getattr(frontier, name), shape, promise)
    if len({len(one) for one in (frontier.params, frontier.tokens, frontier.loss)}) > 1:
        check.array(f"{path}.loss", frontier.loss, frontier.params.shape)
    for at, end in enumerate(frontier.measured or ()):
        check.number(f"{path}.measured[{at}]", end, POSITIVE)
    check.names(f"{path}.fixed", frontier.fixed, law.inputs, "the law's inputs")
    for name, value in frontier.fixed.items():
        check.number(f"{path}.fixed.{name}", value, NUMBER)


def verify_provenance(check: Checker, made: Provenance, path: str) -> None:
    """Raise StoreError for seconds that are none."""
    for name in ("compile_seconds", "run_seconds"):
        check.number(f"{path}.{name}", getattr(made, name), NOT_NEGATIVE)


def verify_function(check: Checker, fit: Fit, own: Iterable[Law]) -> None:
    """Raise StoreError unless the saved residuals are those of a law that was given or typed: a name cannot tell."""
    core, name = core_of(fit.law), shown(fit.law.name)
    if core not in tuple(own) and not isinstance(core.loss, ExpressionLoss):
        return
    refusal = OTHER_FUNCTION.format(place=check.document, name=name)
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
