"""What training runs cost, and what decides it.  Host only; never imports jax."""

from jaxscale.costs.spec import Cost
from jaxscale.costs.training import TRAINING
from jaxscale.registry import Registry

COSTS: Registry[Cost] = Registry("cost", (TRAINING,))

__all__ = ["COSTS", "Cost"]
