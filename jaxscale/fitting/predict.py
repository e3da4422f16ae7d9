"""Predictions by a law's name, from coefs or from a fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.allocation.inputs import check_asked, run_columns
from jaxscale.costs.spec import SIZES
from jaxscale.errors import UsageError
from jaxscale.intervals import LikelihoodProfile, Sample
from jaxscale.intervals.lines import line_through
from jaxscale.laws import LAWS, Law, predict_sets, predict_with
from jaxscale.laws.checking import check_coefs, check_values
from jaxscale.laws.grouped import GROUP, grouping_of
from jaxscale.results import Ensemble, Fit, Study
from jaxscale.results.kinds import fit_behind
from jaxscale.results.samples import check_drawn, sample_from, sets_of
from jaxscale.runs import Runs

if TYPE_CHECKING:
    import pandas as pd

NOT_A_TABLE = "table takes runs, a frame, or a mapping of names to columns, not {kind}"


def predict(
    law: Law | str | Fit | Ensemble | Study,
    coefs: Mapping[str, float] | str | None = None,
    *,
    table: Runs | Mapping[str, ArrayLike] | pd.DataFrame | None = None,
    **columns: ArrayLike,
) -> np.ndarray:
    """Return the loss that a law with these coefs, or a fit, predicts.

    Parameters
    ----------
    law
        A law, its name, or a Fit, whose coefs are taken unless `coefs` are given; of an Ensemble or a Study those of
        its point fit.
    coefs
        Name → number, or the name of a published set.
    table
        Runs, a frame, or a mapping of names to columns with the law's inputs, or sizes that decide them, under their
        own names; `columns` go before it, and what else is in it is left unused.
    **columns
        The law's inputs, numbers or arrays that broadcast against one another; in place of sizes that it takes, any two
        of params, tokens, flops and tokens_per_param decide them. A law with groups takes the names of groups as
        `group`. An input of other laws is left unused, as a table's columns may serve several; but a size is refused
        that contradicts what the law takes.

    Returns
    -------
    ndarray
        The loss, float64, of the shape to which the columns broadcast; of a table one number per row.

    Raises
    ------
    UsageError
        For an unknown law, set, group or input, a missing coef or input, what makes no table, numbers that an input
        cannot be or that are not finite, coefs that the law cannot have, and inputs at which it has no value.

    Examples
    --------
    >>> js.predict(fit, params=[1e8, 1e9]).round(3)
    array([3.286, 2.481])
    >>> float(np.max(np.abs(np.log(js.predict(ensemble, table=runs) / runs.loss))).round(2))
    0.05
    >>> float(js.predict("chinchilla", "besiroglu2024", params=1e9, flops=1.2e20).round(3))
    2.53
    """
    fit = fit_behind("predict", law) if isinstance(law, (Fit, Ensemble, Study)) else None
    law = LAWS.resolve(law) if fit is None else fit.law  # type: ignore[arg-type]
    fitted = {} if fit is None else fit.coefs
    grouping = grouping_of(law)
    if table is not None:
        columns = {**_in_table(table, law, columns), **columns}
    if grouping is not None and "group" in columns:
        columns[GROUP.name] = grouping.places_of(columns.pop("group"))
    check_asked(law, columns, unused={word for other in LAWS for word in other.inputs})
    if coefs is not None and not isinstance(coefs, str):
        check_coefs(law, coefs, may_be_infinite=True)
    chosen, inputs = law.given(fitted if coefs is None else coefs), run_columns(law, columns)
    found = predict_with(law, chosen, inputs)
    check_values(law, chosen, inputs, found)
    return found


def _in_table(
    table: Runs | Mapping[str, ArrayLike] | pd.DataFrame, law: Law, given: Mapping[str, ArrayLike]
) -> dict[str, ArrayLike]:
    """Return the columns of a table that the law takes, or that decide these: of sizes no more than are needed."""
    found: Mapping[str, ArrayLike] = _own_columns(table)
    taken = {name: found[name] for name in (*law.inputs, GROUP.name, "group") if name in found and name not in given}
    lacking = [name for name in law.inputs if name in SIZES and name not in taken and name not in given]
    spare = [name for name in SIZES if name in found and name not in taken and name not in given] if lacking else []
    known = sum(name in SIZES for name in (*taken, *given))
    return taken | {name: found[name] for name in spare[: max(0, 2 - known)]}


def _own_columns(table: Runs | Mapping[str, ArrayLike] | pd.DataFrame) -> Mapping[str, ArrayLike]:
    if isinstance(table, Runs):
        return {**table.columns, **({} if table.group is None else {"group": table.group})}
    if isinstance(table, Mapping):
        return table
    if not (hasattr(table, "columns") and hasattr(table, "__getitem__")):
        raise UsageError(NOT_A_TABLE.format(kind=type(table).__name__))
    return {str(name): np.asarray(table[name]) for name in table.columns}


def predict_ensemble(ensemble: Ensemble, columns: Mapping[str, ArrayLike]) -> np.ndarray:
    """Return the loss that every replicate predicts; `js.band` makes a band of it.

    Parameters
    ----------
    ensemble
        R replicates of a fit.
    columns
        The law's inputs by name, arrays that broadcast against one another; sizes as for `js.predict`.

    Returns
    -------
    ndarray
        (R, …), float64; NaN for a replicate that is not usable.

    Raises
    ------
    UsageError
        For a missing input, what makes no table, numbers that an input cannot be or that are not finite, and an
        ensemble of a jackknife, whose replicates are no draws.

    Examples
    --------
    >>> losses = js.fitting.predict_ensemble(ensemble, {"params": [1e8, 1e9]})
    >>> losses.shape
    (64, 2)
    >>> js.band(losses).centre.round(2)
    array([3.28, 2.47])
    """
    law = ensemble.fit.law
    check_drawn(ensemble.scheme)
    sets = np.stack([np.where(ensemble.usable, ensemble.coefs[name], np.nan) for name in law.names], axis=1)
    return predict_sets(law, sets, run_columns(law, columns))


def predicted_sample(ensemble: Ensemble, columns: Mapping[str, ArrayLike]) -> Sample:
    """Return the sample of the loss that is predicted, for `js.band` by any method.

    Parameters
    ----------
    ensemble, columns
        As for `predict_ensemble`.

    Returns
    -------
    Sample
        Of (R, …), with the estimates without each run and standard errors where the ensemble has them; with profiles,
        which are followed now, where the ensemble has those of its coefs.

    Raises
    ------
    UsageError
        As `predict_ensemble`.

    Examples
    --------
    >>> losses = js.fitting.predicted_sample(ensemble, {"params": [1e8, 1e9]})
    >>> js.band(losses, method="basic").centre.round(2)
    array([3.28, 2.47])
    """
    law = ensemble.fit.law
    inputs = run_columns(law, columns)
    found = predict_sets(law, sets_of(ensemble).coefs, inputs)
    sample = sample_from(ensemble, found, line=line_through(found))
    return sample if ensemble.profile is None else replace(sample, profile=_profile(ensemble.fit, inputs, found[0]))


def _profile(fit: Fit, inputs: Mapping[str, np.ndarray], point: np.ndarray) -> LikelihoodProfile:
    """Return the profiles of losses that are predicted, of the shape of `point`."""
    from jaxscale.refitting.following import profiles_of_functions  # whose fits are made by this folder

    law, shape = fit.law, point.shape

    def loss_at(place: int) -> Callable[[Mapping[str, np.ndarray]], np.ndarray]:
        def evaluate(coefs: Mapping[str, np.ndarray]) -> np.ndarray:
            sets = np.stack([np.asarray(coefs[name], dtype=np.float64) for name in law.names], axis=1)
            return predict_sets(law, sets, inputs).reshape(len(sets), -1)[:, place]

        evaluate.__name__ = "the loss" if point.size == 1 else f"loss {place + 1} of {point.size}"
        return evaluate

    flat = profiles_of_functions(fit, [loss_at(place) for place in range(point.size)])
    roots, values = (part.reshape(len(part), *shape) for part in (flat.roots, flat.values))
    return LikelihoodProfile(roots, values, flat.below.reshape(shape), flat.above.reshape(shape))
