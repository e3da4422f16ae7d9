"""Runs × Law × Objective → Fit → Ensemble: the verbs that fit, refit and say how sure one may be."""

from jaxscale.fitting.bootstrap import bootstrap
from jaxscale.fitting.fit import fit
from jaxscale.fitting.groups import group_of
from jaxscale.fitting.predict import predict
from jaxscale.fitting.reduced import reduced
from jaxscale.fitting.solution import solution

__all__ = ["bootstrap", "fit", "group_of", "predict", "reduced", "solution"]
