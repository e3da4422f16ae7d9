"""What training runs and models cost, and what decides it.  Host only; never imports jax."""

from jaxscale.costs.batching import BATCHED, STEPS, WALL_CLOCK
from jaxscale.costs.fitted import fitted_cost
from jaxscale.costs.memory import SERVING_MEMORY, TRAINING_MEMORY
from jaxscale.costs.parts import ACTIVE_PARAMS, domain_tokens
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
        ACTIVE_PARAMS,
        BATCHED,
        STEPS,
        WALL_CLOCK,
    ),
)

__all__ = ["COSTS", "Cost", "domain_tokens", "fitted_cost"]
