"""Runs × Law × Objective → Fit: the verbs that fit, and say how sure one may be of a single fit."""

from jaxscale.fitting.counts import compare_counts
from jaxscale.fitting.fit import fit
from jaxscale.fitting.groups import group_of
from jaxscale.fitting.predict import predict, predict_ensemble
from jaxscale.fitting.reduced import reduced
from jaxscale.fitting.solution import solution

__all__ = [
    "compare_counts",
    "fit",
    "group_of",
    "predict",
    "predict_ensemble",
    "reduced",
    "solution",
]
