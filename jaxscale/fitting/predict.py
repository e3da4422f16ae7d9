"""Predictions by a law's name, from coefs or from a fit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.allocation.inputs import check_asked, run_columns
from jaxscale.laws import LAWS, Law, predict_sets, predict_with
from jaxscale.laws.checking import check_coefs
from jaxscale.laws.grouped import GROUP, grouping_of
from jaxscale.results import Ensemble, Fit


def predict(law: Law | str | Fit, coefs: Mapping[str, float] | str | None = None, **columns: ArrayLike) -> np.ndarray:
    """Return the loss, float64, that a law with these coefs, or a fit, predicts for columns that broadcast.

    coefs: name → number, or the name of a published set.   columns: the law's inputs; in place of sizes that it takes,
    any two of params, tokens, flops and tokens_per_param decide them.   A law with groups takes the names of groups as
    `group`.   Raises UsageError for an unknown law, set, group or input, a missing coef or input, what makes no table,
    numbers that an input cannot be or that are not finite, and coefs that the law cannot have. An input of other laws
    is left unused, as a table's columns may serve several; but a size is refused that contradicts what the law takes.
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
    """Return the loss (R, …), float64, of every replicate for columns that broadcast; NaN for one that is not usable.

    columns: as for `predict`, which raises the same.   `intervals.band` makes a band of it.
    """
    law = ensemble.fit.law
    sets = np.stack([np.where(ensemble.usable, ensemble.coefs[name], np.nan) for name in law.names], axis=1)
    return predict_sets(law, sets, run_columns(law, columns))
