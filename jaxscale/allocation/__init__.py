"""Where to spend: the optimum of any law on a budget, as a pure differentiable function and as a host verb.

The separable law's own algebra is in `separable` (frontier, contours, inverse) and `uncertainty` (how sure the best
size is, and what another costs); Kaplan's is in `kaplan` and `kaplan_training`.
"""

from jaxscale.allocation.allocate import Allocation, allocate
from jaxscale.allocation.frontier import check_frontier, frontier, prefetched_frontier
from jaxscale.allocation.isoloss import isoloss
from jaxscale.allocation.quantities import at_optimum
from jaxscale.allocation.solving import solve_for

__all__ = [
    "Allocation",
    "allocate",
    "at_optimum",
    "check_frontier",
    "frontier",
    "isoloss",
    "prefetched_frontier",
    "solve_for",
]
