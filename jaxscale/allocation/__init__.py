"""Where to spend: the optimum of any law on a budget, as a pure differentiable function and as a host verb.

The separable law's own algebra is in `separable` (frontier, contours, inverse), `overhead` (other sizes than the best)
and `spread` (how sure the best size is).
"""

from jaxscale.allocation.allocate import Allocation, allocate
from jaxscale.allocation.frontier import check_frontier, frontier, prefetched_frontier
from jaxscale.allocation.solving import isoloss, solve_for

__all__ = ["Allocation", "allocate", "check_frontier", "frontier", "isoloss", "prefetched_frontier", "solve_for"]
