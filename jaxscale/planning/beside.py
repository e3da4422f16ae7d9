"""Plans beside the best one: those that were given, and the nearest of the models that can be built."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.planning.limits import is_number
from jaxscale.planning.regrets import Scene, most_tokens, whole_plans
from jaxscale.planning.risk import tail_weights
from jaxscale.results.decision import BUILT

BAD_PLAN = "plans: '{name}' = {plan!r} is neither params nor (params, tokens), each at least one"
RESERVED = "plans: '{name}' is a name that decide gives itself"
NO_TOKENS = "plans: '{name}': no amount of tokens keeps {params:.4g} params within the limits"
BAD_SHAPE = "shapes: '{name}' = {params!r} is no number of params, one or more"
NO_SHAPES = "shapes: there are none"
NOT_PLANS = "plans = {plans!r} is no mapping of names to params, or to (params, tokens), as in plans={{'7B': 7e9}}"
NONE_FITS = "shapes: none of the {count} keeps to the limits with any number of tokens"
RESERVED_NAMES = ("best", "plug-in", BUILT)


def given_plans(
    scene: Scene, plans: Mapping[str, float | tuple[float, float]], rest: np.ndarray
) -> dict[str, np.ndarray]:
    """Return name → x (n,) of plans that were given, with the further inputs (n - 2,) of the best one."""
    if not isinstance(plans, Mapping):
        raise UsageError(NOT_PLANS.format(plans=plans))
    found = {}
    for name, plan in plans.items():
        if name in RESERVED_NAMES:
            raise UsageError(RESERVED.format(name=name))
        sizes = plan if isinstance(plan, tuple | list) else (plan,)
        if len(sizes) not in (1, 2) or not all(is_number(one) and one >= 1 for one in sizes):
            raise UsageError(BAD_PLAN.format(name=name, plan=plan))
        x = np.log(np.array(sizes, dtype=np.float64))
        if len(x) == 1:
            x = np.append(x, most_tokens(scene.question, x, rest))
            if np.isnan(x[1]):
                raise UsageError(NO_TOKENS.format(name=name, params=sizes[0]))
        found[name] = np.concatenate([x, rest])
    return found


def nearest_shape(
    scene: Scene, shapes: Mapping[str, float], rest: np.ndarray, tail: float
) -> tuple[str, np.ndarray, dict[str, float]]:
    """Return the name of the shape of the least risk, its plan x (n,), and name → risk, in nats, the least first.

    rest: (n - 2,), further inputs of all.   A shape that no number of tokens keeps within the limits has risk NaN.
    Raises UsageError for sizes that are none, and where no shape keeps to the limits.
    """
    if not shapes:
        raise UsageError(NO_SHAPES)
    for name, params in shapes.items():
        if not is_number(params) or not params >= 1:
            raise UsageError(BAD_SHAPE.format(name=name, params=params))
    sizes = np.log(np.array([float(one) for one in shapes.values()]))
    tokens = most_tokens(scene.question, sizes, rest)
    fits = np.isfinite(tokens)
    if not fits.any():
        raise UsageError(NONE_FITS.format(count=len(shapes)))
    x = whole_plans(sizes, np.where(fits, tokens, 0.0), rest)
    regrets = scene.regrets(x)
    risks = np.array([tail_weights(one, scene.weight, tail) @ one for one in regrets.T])
    risks = np.where(fits, risks, np.nan)
    order = np.argsort(risks, kind="stable")
    names = tuple(shapes)
    return names[order[0]], x[order[0]], {names[at]: float(risks[at]) for at in order}
