"""From size and data to accuracy by way of a task's loss, with the uncertainty of both steps carried through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from jaxscale import precision
from jaxscale.errors import RunsError, UsageError
from jaxscale.fitting.fit import fit
from jaxscale.intervals import Band, Interval, band
from jaxscale.laws import LAWS, Law, predict_with
from jaxscale.names import REPLICATES
from jaxscale.objectives import Objective
from jaxscale.refitting.bootstrap import resample
from jaxscale.registry import unknown
from jaxscale.resampling import Scheme, clusters_of
from jaxscale.results import Ensemble
from jaxscale.runs import Runs

NO_ACCURACY = "{source}: the first step predicts the table's loss, the second needs its column:"
ONE_INPUT = "law '{name}' takes {inputs}: a second step takes the loss of the first, and nothing else"
NOT_THE_SAME_RUNS = "the two steps have {first} and {second} replicates, or other draws: fit them by two_steps"


@dataclass(frozen=True)
class TwoSteps:
    """Two ensembles of the same draws: replicate r of both was fitted to the same resampled runs.

    Attributes
    ----------
    first
        From a run's inputs to its task loss.
    second
        From the task loss to what it is worth.

    Raises
    ------
    UsageError
        For ensembles that do not belong together.
    """

    first: Ensemble
    second: Ensemble

    def __post_init__(self) -> None:
        one, two = self.first, self.second
        is_paired = (one.scheme, one.seed, len(one)) == (two.scheme, two.seed, len(two))
        first, second = (clusters_of(step.fit.runs.group, len(step.fit.runs)) for step in (one, two))
        if not (is_paired and np.array_equal(one.fit.runs.row, two.fit.runs.row) and np.array_equal(first, second)):
            raise UsageError(NOT_THE_SAME_RUNS.format(first=len(one), second=len(two)))
        if len(two.fit.law.inputs) != 1:
            raise UsageError(ONE_INPUT.format(name=two.fit.law.name, inputs=", ".join(two.fit.law.inputs)))

    def __len__(self) -> int:
        return len(self.first)

    @property
    def usable(self) -> np.ndarray:
        """(R,) bool: the replicates of which both steps ended at a minimum."""
        return self.first.usable & self.second.usable

    @property
    def status(self) -> np.ndarray:
        """(R,) int8 codes of Status: that of the first step where it failed, else that of the second or of its edge."""
        return np.where(self.first.usable, np.maximum(self.first.status, self.second.status), self.first.status)

    def predict(self, **columns: ArrayLike) -> np.ndarray:
        """Return what the point fits of both steps predict.

        Parameters
        ----------
        **columns
            The inputs of the first law, numbers or arrays that broadcast against one another.

        Returns
        -------
        ndarray
            float64, of the shape to which the columns broadcast.

        Raises
        ------
        UsageError
            For a missing input, and columns that do not broadcast or are no numbers.
        """
        one, two = self.first.fit, self.second.fit
        return predict_with(two.law, two.coefs, {two.law.inputs[0]: predict_with(one.law, one.coefs, columns)})

    def samples(self, **columns: ArrayLike) -> np.ndarray:
        """Return what every replicate predicts.

        Parameters
        ----------
        **columns
            The inputs of the first law, numbers or arrays that broadcast against one another.

        Returns
        -------
        ndarray
            (R, …) over the columns; NaN where a step is not usable.

        Raises
        ------
        UsageError
            For a missing input.
        """
        arrays = np.broadcast_arrays(*(np.asarray(column, dtype=np.float64) for column in columns.values()))
        flat = {name: array.reshape(-1) for name, array in zip(columns, arrays, strict=True)}
        predict_with(self.first.fit.law, self.first.fit.coefs, flat)  # refuses what it does not know
        inputs = tuple(flat[name] for name in self.first.fit.law.inputs)
        one, two = self.first.fit.law, self.second.fit.law

        def chained(given: dict[str, jax.Array], worth: dict[str, jax.Array]) -> jax.Array:
            return jax.vmap(lambda *run: two.loss(one.loss(*run, **given), **worth))(*map(jnp.asarray, inputs))

        with precision.float64():
            given, worth = (jax.tree.map(jnp.asarray, dict(step.coefs)) for step in (self.first, self.second))
            found = np.asarray(jax.vmap(chained)(given, worth))
        return np.where(self.usable[:, None], found, np.nan).reshape(len(self), *arrays[0].shape)

    def band(self, *, level: float = 0.95, method: Interval | str = "percentile", **columns: ArrayLike) -> Band:
        """Return the band of the prediction over the replicates of which both steps are usable.

        Parameters
        ----------
        level, method
            As in `js.band`.
        **columns
            As in `samples`.

        Returns
        -------
        Band
            Of the shape to which the columns broadcast.

        Raises
        ------
        UsageError
            As `js.band` and `samples`.
        """
        return band(self.samples(**columns), level=level, method=method)


def two_steps(
    runs: Runs,
    *,
    accuracy: str = "accuracy",
    first: Law | str = "task-loss",
    second: Law | str = "accuracy-sigmoid",
    objective: Objective | str = "huber",
    second_objective: Objective | str | None = None,
    fix: Mapping[str, float] | None = None,
    second_fix: Mapping[str, float] | None = None,
    scheme: Scheme | str = "pairs",
    replicates: int = REPLICATES,
    seed: int = 0,
    device: str = "auto",
) -> TwoSteps:
    """Return both steps fitted, and refitted to the same draws of the runs, so that their errors stay tied.

    Parameters
    ----------
    runs
        With the task loss as their loss, and a column for the accuracy.
    accuracy
        The name of that column.
    first
        A law of the task loss by a run's inputs.
    second
        A law of the accuracy with one input, the task loss as measured.
    objective
        Of the first step.
    second_objective
        Of the second one; that of the first if none is given.
    fix
        Known coefs of the first step, coef → value.
    second_fix
        Known coefs of the second one, such as b, the accuracy of chance.
    scheme, replicates, seed
        As in `js.bootstrap`.
    device
        Where to compute: auto, cpu, gpu or tpu.

    Returns
    -------
    TwoSteps
        Both ensembles; `band` gives the accuracy of other runs.

    Raises
    ------
    UsageError
        For a second law that takes more than one input, and as `js.fit` and `js.bootstrap`.
    RunsError
        For a table without an accuracy in every row, and as `js.fit` and `js.bootstrap`.
    MissingDependencyError
        For a device that is not there.

    Examples
    --------
    >>> size, tokens = np.geomspace(1e7, 1e10, 30), np.tile([1e10, 1e11, 1e12], 10)
    >>> losses = 0.6 + (1e7 / size) ** 0.3 + (1e9 / tokens) ** 0.3
    >>> accuracy = 0.25 + 0.7 / (1 + np.exp(4 * (losses - 1)))
    >>> table = js.Runs.from_arrays(loss=losses, params=size, tokens=tokens, accuracy=accuracy)
    >>> both = js.refitting.two_steps(table, objective="squared", replicates=20)
    >>> both.band(params=7e10, tokens=2e12).n_total
    20
    """
    second = LAWS.resolve(second)
    if len(second.inputs) != 1:
        raise UsageError(ONE_INPUT.format(name=second.name, inputs=", ".join(second.inputs)))
    if accuracy not in runs.columns:
        raise RunsError(unknown(NO_ACCURACY.format(source=runs.origin.source), accuracy, tuple(runs.columns)))
    worth = replace(runs, columns={second.inputs[0]: runs.loss}, loss=runs.columns[accuracy])
    refit = partial(resample, scheme=scheme, replicates=replicates, seed=seed, device=device)
    one = refit(fit(runs, first, objective=objective, fix=fix, device=device))
    last = objective if second_objective is None else second_objective
    two = refit(fit(worth, second, objective=last, fix=second_fix, device=device))
    return TwoSteps(one, two)
