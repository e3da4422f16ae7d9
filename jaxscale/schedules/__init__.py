"""Learning-rate schedules, and what laws of schedules take of them.  Host only; never imports jax."""

from jaxscale.schedules.columns import annealing_of, columns_of, schedules_of, with_schedules
from jaxscale.schedules.schedule import Schedule, constant, cosine, linear, two_stage, wsd

__all__ = [
    "Schedule", "annealing_of", "columns_of", "constant", "cosine", "linear", "schedules_of", "two_stage",
    "with_schedules", "wsd",
]  # fmt: skip
