"""Runs × Law × Objective → Fit → Ensemble: the verbs that fit, refit and say how sure one may be."""

from jaxscale.fitting.bootstrap import bootstrap
from jaxscale.fitting.clusters import check_clusters, still_open
from jaxscale.fitting.counts import compare_counts
from jaxscale.fitting.fit import fit
from jaxscale.fitting.groups import group_of
from jaxscale.fitting.predict import predict, predict_ensemble
from jaxscale.fitting.reduced import reduced
from jaxscale.fitting.solution import solution
from jaxscale.fitting.two_steps import TwoSteps, two_steps

__all__ = [
    "TwoSteps",
    "bootstrap",
    "check_clusters",
    "compare_counts",
    "fit",
    "group_of",
    "predict",
    "predict_ensemble",
    "reduced",
    "solution",
    "still_open",
    "two_steps",
]
