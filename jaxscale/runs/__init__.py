"""Tables of training runs, checked and in float64.  Host only; never imports jax."""

from jaxscale.runs.cells import Origin
from jaxscale.runs.planned import PlannedRuns, read_planned
from jaxscale.runs.reading import read_runs
from jaxscale.runs.table import Runs

__all__ = ["Origin", "PlannedRuns", "Runs", "read_planned", "read_runs"]
