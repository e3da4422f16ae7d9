"""Learning-rate schedules, and what laws of schedules take of them.  Host only; never imports jax."""

from jaxscale.schedules.columns import annealing_of, columns_of
from jaxscale.schedules.shapes import constant, cosine, linear, two_stage, wsd
from jaxscale.schedules.spec import Schedule

__all__ = ["Schedule", "annealing_of", "columns_of", "constant", "cosine", "linear", "two_stage", "wsd"]
