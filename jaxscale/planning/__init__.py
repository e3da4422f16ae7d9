"""Plans: the best params and tokens within limits, what binds, and what one more unit would be worth."""

from jaxscale.planning.decide import decide
from jaxscale.planning.interior import ConstrainedOptimum, KktCertificate, certify, constrained_optimum
from jaxscale.planning.limits import Limit, at_least, at_most
from jaxscale.planning.plan import plan
from jaxscale.planning.planned import Planned, planned
from jaxscale.planning.sampling import SampleWorth, sample_worth
from jaxscale.planning.spending import PlanNumbers, Spending

__all__ = [
    "ConstrainedOptimum",
    "KktCertificate",
    "Limit",
    "PlanNumbers",
    "Planned",
    "SampleWorth",
    "Spending",
    "at_least",
    "at_most",
    "certify",
    "constrained_optimum",
    "decide",
    "plan",
    "planned",
    "sample_worth",
]
