"""`js.forecast` and `js.score`: runs predicted with both bands, and held against what was measured."""

from __future__ import annotations

import datetime

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.allocation import allocate
from jaxscale.allocation.inputs import all_sizes, can_allocate, check_asked, run_columns
from jaxscale.allocation.slopes import loss_slopes
from jaxscale.costs.training import fixed_inputs
from jaxscale.errors import RunsError, UsageError
from jaxscale.finding import forbids_plan
from jaxscale.fitting import new_runs, predicted_sample
from jaxscale.intervals import band
from jaxscale.laws import predict_with
from jaxscale.results import Study
from jaxscale.results.digests import digest_of_study
from jaxscale.results.forecast import Forecast, Score
from jaxscale.results.kinds import check_kind, check_runs
from jaxscale.runs import Runs
from jaxscale.text import Json

SAME = 0.01
"""Up to this difference in ln of every input a run is one of a forecast's: sizes are printed rounded."""
STEP = 0.05
"""In ln C, over which the slope of the least loss is taken, to each side."""

NO_DRAWS = "a forecast has bands: it needs a study with replicates, fit … --replicates 1000, of which half are usable"
NOT_TRUSTED = "a forecast is not made of this study: {why}"
OTHER_STUDY = (
    "the forecast was made of the study {told}, and this one is {found}: what changed is {changed}. A forecast is "
    "scored beside the study behind it, or without one"
)
OTHER_TABLE = "the table, or an option that a forecast does not name"
NO_COLUMN = "{source}: the forecast is of runs by {inputs}, and the table has no column {missing}"
NONE_MADE = "{source}: none of its {rows} runs is one of the forecast's, which are of {told}"


def forecast(study: Study, *, seed: int = 0, **columns: ArrayLike) -> Forecast:
    """Return what a study predicts of runs, to be written down with `js.store.save_forecast` before they are made.

    Parameters
    ----------
    study
        With replicates.
    seed
        Of the spread of single runs.
    **columns
        The law's inputs, numbers or arrays (n,), or two sizes in place of others, as for `js.predict`.

    Returns
    -------
    Forecast
        With the limits of the law's mean and those of a new run.

    Raises
    ------
    UsageError
        For a study without usable replicates, numbers that are not what they are taken for, and as `js.predict`.

    Examples
    --------
    >>> told = js.forecast(js.Study(fit, ensemble), params=[1e9, 1e10])
    >>> bool((told.run_high > told.mean_high).all())
    True
    """
    check_kind("forecast", study, Study)
    fit, ensemble = study.fit, study.ensemble
    if ensemble is None or not study.has_bands:
        raise UsageError(NO_DRAWS)
    forbidding = forbids_plan(fit.findings)
    if forbidding is not None:
        raise UsageError(NOT_TRUSTED.format(why=forbidding.message))
    check_asked(fit.law, columns)
    inputs = {name: np.atleast_1d(one) for name, one in run_columns(fit.law, columns).items()}
    arrays = np.broadcast_arrays(*inputs.values())
    inputs = {name: np.array(one, dtype=np.float64) for name, one in zip(inputs, arrays, strict=True)}
    mean = band(predicted_sample(ensemble, inputs), level=study.level, method=study.interval)
    runs = new_runs(ensemble, inputs, seed=seed)
    single = band(runs, level=study.level)
    with np.errstate(divide="ignore", invalid="ignore"):  # of losses that overflow, or fall to zero in linear space
        log_std = np.nanstd(np.log(runs), axis=0)
    made = ensemble.provenance
    return Forecast(
        inputs=inputs,
        loss=predict_with(fit.law, fit.coefs, inputs),
        mean_low=mean.lower,
        mean_high=mean.upper,
        run_low=single.lower,
        run_high=single.upper,
        log_std=log_std,
        slope=_slopes(study, inputs),
        level=study.level,
        study=digest_of_study(study),
        source=fit.runs.origin.source,
        made=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        facts={
            **_options(study),
            "interval": study.interval.name,
            "run_seed": seed,
            "jaxscale": made.jaxscale,
            "jax": made.jax,
            "backend": made.backend,
        },
    )


def _options(study: Study) -> dict[str, Json]:
    """Return what a forecast says of the study behind it."""
    fit, ensemble = study.fit, study.ensemble
    drawn: dict[str, Json] = {"scheme": None, "replicates": 0, "usable": 0, "seed": None}
    if ensemble is not None:
        drawn = {"scheme": ensemble.scheme.name, "replicates": len(ensemble), "usable": int(ensemble.usable.sum())}
        drawn["seed"] = ensemble.seed
    return {
        "law": fit.law.name,
        "equation": fit.law.equation,
        "coefs": {name: float(value) for name, value in fit.coefs.items()},
        "objective": fit.objective.name,
        "rows": len(fit.runs),
        **drawn,
    }


def score(forecast: Forecast, runs: Runs, *, study: Study | None = None) -> Score:
    """Return how a forecast came out.

    A run is one of the forecast's where every input agrees to 1 %; several runs may be the same one.

    Parameters
    ----------
    forecast
        Of `js.forecast`, or read by `js.store.load_forecast`.
    runs
        As measured, with the law's inputs.
    study
        The one behind the forecast, to be sure that neither its table nor its options have changed since; None does not
        ask.

    Returns
    -------
    Score
        Of every run that was foretold.

    Raises
    ------
    UsageError
        For a study that is not the one behind the forecast.
    RunsError
        For a table that lacks an input, and one without any of the forecast's runs.

    Examples
    --------
    >>> made = js.Runs.from_arrays(params=[1e9, 1e10], loss=[2.5, 1.9])
    >>> js.score(js.forecast(js.Study(fit, ensemble), params=[1e9, 1e10]), made).in_run
    array([ True,  True])
    """
    check_kind("score", forecast, Forecast)
    check_runs("score", runs)
    if study is not None:
        check_behind(forecast, study)
    names = tuple(forecast.inputs)
    missing = [name for name in names if name not in runs.columns]
    if missing:
        told = {"source": runs.origin.source, "inputs": ", ".join(names), "missing": ", ".join(missing)}
        raise RunsError(NO_COLUMN.format(**told))
    apart = np.max([_apart(runs.columns[name], forecast.inputs[name]) for name in names], axis=0)
    place = np.argmin(apart, axis=1)
    is_told = (apart[np.arange(len(runs)), place] <= SAME) & (runs.weight > 0)
    if not is_told.any():
        first = ", ".join(f"{name} {forecast.inputs[name][0]:.6g}" for name in names)
        raise RunsError(NONE_MADE.format(source=runs.origin.source, rows=len(runs), told=f"{first}, …"))
    made = place[is_told]
    return Score(
        forecast=forecast,
        row=np.asarray(runs.row)[is_told],
        place=made,
        loss=np.asarray(runs.loss)[is_told],
        unmade=tuple(at for at in range(len(forecast)) if at not in made),
        others=int((~is_told).sum()),
    )


def check_behind(forecast: Forecast, study: Study) -> None:
    """Raise UsageError for a study that is not the one behind a forecast, with what differs."""
    check_kind("score", study, Study)
    found = digest_of_study(study)
    changed = [name for name, value in _options(study).items() if forecast.facts.get(name) != value]
    if changed or found != forecast.study:
        told = {"told": forecast.study, "found": found, "changed": ", ".join(changed) or OTHER_TABLE}
        raise UsageError(OTHER_STUDY.format(**told))


def _apart(measured: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Return how far inputs are apart (rows, n): in ln where both are positive, else as they are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.abs(np.log(measured)[:, None] - np.log(told)[None])
    plain = np.abs(measured[:, None] - told[None])
    apart: np.ndarray = np.where(np.isfinite(logs), logs, plain)
    return apart


def _slopes(study: Study, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return by how many nats the least loss falls per unit of ln C at the compute of each run; NaN without a frontier.

    With the law's further inputs as the run has them.
    """
    law, count = study.fit.law, len(next(iter(inputs.values())))
    flops = all_sizes(law, inputs).get("flops")
    if not can_allocate(law) or flops is None:
        return np.full(count, np.nan)
    found = np.full(count, np.nan)
    for at in range(count):
        fixed = {name: float(inputs[name][at]) for name in fixed_inputs(law)}
        around = flops[at] * np.exp([-STEP, 0.0, STEP])
        least = [float(allocate(law, study.fit.coefs, flops=float(one), fixed=fixed).loss) for one in around]
        found[at] = loss_slopes(around, np.array(least), around[1:2])[0]
    return found
