"""Profiles of what a frontier says of each budget, and of its exponents."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxscale.allocation.spent import Optima, at_budget, between_budgets
from jaxscale.intervals import LikelihoodProfile
from jaxscale.refitting.following import profiles_of_functions
from jaxscale.results import EXPONENTS, QUANTITIES, Fit, Frontier
from jaxscale.stages import Stages

FOLLOWING = "Following the profiles of the frontier"
ALIKE = 1e-9
"""Relative, to which params times tokens is the same in all replicates where a budget alone decides it."""


class FrontierProfiles(NamedTuple):
    """As in `Frontier`."""

    profile: dict[str, LikelihoodProfile]
    exponents: LikelihoodProfile | None


def profiles_of_frontier(
    fit: Fit, point: Frontier, optima: Optima, product: np.ndarray, told: Stages
) -> FrontierProfiles:
    """Return the profiles of the quantities of each budget, and of the exponents between the ends.

    point: the frontier of the fit.   product: (R, b), params times tokens of the replicates. Where they all have the
    same, tokens and tokens per param are functions of params, and so are their profiles.
    """
    flops, size = point.flops, point.params * point.tokens
    with np.errstate(invalid="ignore"):
        is_alike = bool((np.abs(product / size - 1.0) <= ALIKE)[np.isfinite(product)].all())
    asked = QUANTITIES if not is_alike else ("params", "loss")
    first, last = int(np.argmin(flops)), int(np.argmax(flops))
    ends = (float(flops[first]), float(flops[last]))
    names = () if ends[0] == ends[1] else ("params",) if is_alike else EXPONENTS
    told.begin(FOLLOWING, len(asked) * len(flops) + len(names))
    found = {
        name: profiles_of_functions(fit, [at_budget(fit.law, optima, name, float(one)) for one in flops], told)
        for name in asked
    }
    known = profiles_of_functions(fit, [between_budgets(fit.law, optima, name, *ends) for name in names], told)
    exponents = known if names else None
    if is_alike:
        found["tokens"] = mapped(found["params"], lambda params: size / params)
        found["tokens_per_param"] = mapped(found["params"], lambda params: size / params**2)
    if exponents is not None and is_alike:
        rise = np.log(size[last] / size[first]) / np.log(ends[1] / ends[0])
        of_params = exponents.of(0)
        others = (mapped(of_params, lambda a, times=times: rise - times * a) for times in (1.0, 2.0))  # type: ignore[misc]
        exponents = LikelihoodProfile.joined([of_params, *others])
    return FrontierProfiles({name: found[name] for name in QUANTITIES}, exponents)


def mapped(profile: LikelihoodProfile, fall: Callable[[np.ndarray], np.ndarray]) -> LikelihoodProfile:
    """Return the profile of a quantity that falls as another grows, of values (k, …) to values (k, …)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        roots, values = -profile.roots[::-1], fall(profile.values)[::-1]
    order = np.argsort(roots, axis=0, kind="stable")  # NaN goes behind
    roots, values = (np.take_along_axis(one, order, axis=0) for one in (roots, values))
    return LikelihoodProfile(roots, values, profile.above, profile.below)
