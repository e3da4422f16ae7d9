"""Predictions by a law's name, from coefs or from a fit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.allocation.inputs import check_asked, run_columns
from jaxscale.intervals import Sample
from jaxscale.intervals.lines import line_through
from jaxscale.laws import LAWS, Law, predict_sets, predict_with
from jaxscale.laws.checking import check_coefs
from jaxscale.laws.grouped import GROUP, grouping_of
from jaxscale.results import Ensemble, Fit
from jaxscale.results.samples import check_drawn, sample_from, sets_of


def predict(law: Law | str | Fit, coefs: Mapping[str, float] | str | None = None, **columns: ArrayLike) -> np.ndarray:
    """Return the loss that a law with these coefs, or a fit, predicts.

    Parameters
    ----------
    law
        A law, its name, or a Fit, whose coefs are taken unless `coefs` are given.
    coefs
        Name → number, or the name of a published set.
    **columns
        The law's inputs, numbers or arrays that broadcast against one another; in place of sizes that it takes, any two
        of params, tokens, flops and tokens_per_param decide them. A law with groups takes the names of groups as
        `group`. An input of other laws is left unused, as a table's columns may serve several; but a size is refused
        that contradicts what the law takes.

    Returns
    -------
    ndarray
        The loss, float64, of the shape to which the columns broadcast.

    Raises
    ------
    UsageError
        For an unknown law, set, group or input, a missing coef or input, what makes no table, numbers that an input
        cannot be or that are not finite, and coefs that the law cannot have.

    Examples
    --------
    >>> js.predict(fit, params=[1e8, 1e9]).round(3)
    array([3.286, 2.481])
    >>> float(js.predict("chinchilla", "besiroglu2024", params=1e9, flops=1.2e20).round(3))
    2.53
    """
    fitted = law.coefs if isinstance(law, Fit) else {}
    law = law.law if isinstance(law, Fit) else LAWS.resolve(law)
    grouping = grouping_of(law)
    if grouping is not None and "group" in columns:
        columns[GROUP.name] = grouping.places_of(columns.pop("group"))
    check_asked(law, columns, unused={word for other in LAWS for word in other.inputs})
    if coefs is not None and not isinstance(coefs, str):
        check_coefs(law, coefs)
    return predict_with(law, law.given(fitted if coefs is None else coefs), run_columns(law, columns))


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
        Of (R, …), with the estimates without each run and standard errors where the ensemble has them.

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
    found = predict_sets(law, sets_of(ensemble).coefs, run_columns(law, columns))
    return sample_from(ensemble, found, line=line_through(found))
