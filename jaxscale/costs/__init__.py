"""What training runs and models cost, and what decides it.  Host only; never imports jax."""

from jaxscale.costs.memory import SERVING_MEMORY, TRAINING_MEMORY
from jaxscale.costs.renting import DOLLARS, HOURS
from jaxscale.costs.serving import LIFETIME, QUERY, SERVING
from jaxscale.costs.spec import Cost
from jaxscale.costs.training import PARAMS, TOKENS, TOKENS_PER_PARAM, TRAINING
from jaxscale.registry import Registry

COSTS: Registry[Cost] = Registry(
    "cost",
    (
        TRAINING,
        LIFETIME,
        SERVING,
        QUERY,
        SERVING_MEMORY,
        TRAINING_MEMORY,
        HOURS,
        DOLLARS,
        PARAMS,
        TOKENS,
        TOKENS_PER_PARAM,
    ),
)

__all__ = ["COSTS", "Cost"]
