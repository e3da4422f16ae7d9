"""The findings about the decision: what of it the runs determine, other minima, and the floor."""

from __future__ import annotations

import math

from jaxscale.digits import scientific, significant
from jaxscale.finding import Finding
from jaxscale.results.diagnosis import Diagnosis
from jaxscale.text import counted, listed

OPEN = (
    "the runs do not determine {names} at {flops} FLOP: 95 % limits are {limits}{known}; add runs of larger compute "
    "and of other tokens per param (jaxscale design)"
)
KNOWN = ". Known all the same: {names}"
WEAK = (
    "the coefs are free along {direction}, with a standard error of {std:.2g}, a factor of {factor}: read no coef "
    "of it alone{answer}"
)
ANSWER_KNOWN = "; known all the same at {flops} FLOP: {names}"
MINIMA = (
    "another minimum, reached by {starts}, has an objective {excess:.2%} higher, which the errors of the runs leave "
    "open, and recommends {after} tokens per param at {flops} FLOP, not {before}; plan with both"
)
FLOOR = (
    "the floor E carries the answer: it is {share:.0%} of the loss predicted at {flops} FLOP, and with E one standard "
    "error higher, the other coefs following, the best params are {pull:+.0%}; larger runs fix it"
)
WORDS = {
    "params": "the best params",
    "tokens": "the best tokens",
    "tokens_per_param": "tokens per param",
    "loss": "the loss",
}

PULL = 0.3
"""Change of ln params for one standard error of E, from which it carries the answer."""
FREE = 1.0
"""Standard error on the real line, a factor of e, from which a direction of the coefs is called free."""
DIFFERENT = 0.1
"""Change of ln tokens per param from which another minimum recommends something else."""


def findings_of_decision(made: Diagnosis) -> tuple[Finding, ...]:
    """Return what a diagnosis says about the answer at the target, most serious first."""
    return (*_minima(made), *_open(made), *_weak(made), *_floor(made))


def _minima(made: Diagnosis) -> list[Finding]:
    for one in made.alternatives:
        change = abs(math.log(one.tokens_per_param / made.tokens_per_param)) if one.tokens_per_param > 0 else math.nan
        if one.is_plausible and change > DIFFERENT and made.flops is not None:
            ratios = {"after": significant(one.tokens_per_param, 3), "before": significant(made.tokens_per_param, 3)}
            told = {"starts": counted(one.starts, "start"), "excess": one.excess, "flops": scientific(made.flops)}
            return [Finding("minima-disagree", MINIMA.format(**told, **ratios))]
    return []


def _open(made: Diagnosis) -> list[Finding]:
    unknown = [one for one in made.quantities if not one.is_identified]
    if not unknown or made.flops is None:
        return []
    names = [WORDS[one.name] for one in unknown]
    limits = listed([f"{significant(one.low, 2)} … {significant(one.high, 2)}" for one in unknown])
    known = _known(made)
    text = OPEN.format(
        names=listed(names),
        flops=scientific(made.flops),
        limits=limits if all(math.isfinite(one.std) for one in unknown) else "not known",
        known=KNOWN.format(names=known) if known else "",
    )
    return [Finding("decision-open", text)]


def _weak(made: Diagnosis) -> list[Finding]:
    if made.weakest is None or made.weakest_std is None or made.weakest_std <= FREE:
        return []
    known = _known(made)
    answer = "" if not known or made.flops is None else ANSWER_KNOWN.format(flops=scientific(made.flops), names=known)
    factor = significant(math.exp(min(made.weakest_std, 700.0)), 2)
    told = {"direction": made.weakest, "std": made.weakest_std, "factor": factor}
    return [Finding("weak-direction", WEAK.format(answer=answer, **told))]


def _known(made: Diagnosis) -> str:
    """Return the quantities that are identified, with their standard errors."""
    known = [one for one in made.quantities if one.is_identified]
    return listed([f"{WORDS[one.name]} (± {one.std:.1%})" for one in known]) if known else ""


def _floor(made: Diagnosis) -> list[Finding]:
    if made.floor_pull is None or abs(made.floor_pull) <= PULL or made.flops is None:
        return []
    told = {"share": made.floor_share, "flops": scientific(made.flops), "pull": math.expm1(made.floor_pull)}
    return [Finding("floor-carries", FLOOR.format(**told))]
