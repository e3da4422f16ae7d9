"""Runs × Law × Objective → Fit: the verbs that fit, and say how sure one may be of a single fit."""

from jaxscale.fitting.fit import fit
from jaxscale.fitting.groups import group_of
from jaxscale.fitting.new_runs import new_runs
from jaxscale.fitting.predict import predict, predict_ensemble, predicted_sample
from jaxscale.fitting.solution import solution
from jaxscale.fitting.variants import compare_counts, reduced
from jaxscale.results.spread import run_residuals

__all__ = [
    "compare_counts",
    "fit",
    "group_of",
    "new_runs",
    "predict",
    "predict_ensemble",
    "predicted_sample",
    "reduced",
    "run_residuals",
    "solution",
]
