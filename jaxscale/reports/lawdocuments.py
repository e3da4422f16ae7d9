"""The documents of laws, made from their records: all that is known of a law but its function."""

from __future__ import annotations

from importlib import import_module

from jaxscale.allocation.frontier import has_frontier
from jaxscale.allocation.inputs import can_allocate
from jaxscale.costs.training import TRAINING, cost_under, fixed_inputs
from jaxscale.laws import ALIASES, FILES, Input, Law
from jaxscale.reports.jsontext import number
from jaxscale.reports.lawpages import Family, InputDocument, LawDocument

SEARCHED = "numerically on {price}, in ln N"
OWN_PRICE = "the law's own price of a param per token"
USUAL_PRICE = "C = 6 N D"
AT_OWN = f"at {OWN_PRICE}"
ALONG = "the loss at each budget; the law does not split it"
NONE = "none: the law does not say how a budget is best spent"
FIXING = "{how}; with {names} fixed (--at)"


def registered() -> list[Family]:
    """Return the files of laws in the order of the registry, with the documents of their laws."""
    families: list[Family] = []
    for file in FILES:
        module = import_module(f"jaxscale.laws.{file}")
        sentence = (module.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        families.append({"file": file, "sentence": sentence, "laws": [law_document(law) for law in module.LAWS]})
    return families


def law_document(law: Law) -> LawDocument:
    """Return everything about a law but its function."""
    return {
        "name": law.name,
        "aliases": [alias for alias, name in ALIASES.items() if name == law.name],
        "equation": law.equation,
        "inputs": list(law.inputs),
        "source": law.source,
        "measures": [_written_input(measure) for measure in map(law.input, law.inputs)],
        "coefs": [
            {
                "name": coef.name,
                "support": coef.support,
                "unit": coef.unit,
                "meaning": coef.meaning,
                "low": number(coef.range[0]),
                "high": number(coef.range[1]),
            }
            for coef in law.coefs
        ],
        "published": [
            {
                "name": constants.name,
                "coefs": {name: float(value) for name, value in zip(law.names, constants.values, strict=True)},
                "source": constants.source,
                "tag": constants.tag,
            }
            for constants in law.published
        ],
        "target": law.target,
        "space": law.space,
        "frontier": how_found(law),
        "fixed_inputs": list(fixed_inputs(law)) if has_frontier(law) else [],
        "notes": list(law.notes),
    }


def _written_input(measure: Input) -> InputDocument:
    return {
        "name": measure.name,
        "symbol": measure.symbol,
        "unit": measure.unit,
        "meaning": measure.meaning,
        "low": number(measure.low),
        "high": number(measure.high),
    }


def headline_of(law: Law) -> str:
    """Return what a law's frontier is, and which C its budgets are."""
    if not can_allocate(law):
        return "Loss by budget"
    return f"Efficient frontier, {USUAL_PRICE if cost_under(law) is TRAINING else AT_OWN}"


def how_found(law: Law) -> str:
    """Return how the law's frontier is found, and what the law adds to that; why it has none, where it has none."""
    fixed = fixed_inputs(law)
    if not can_allocate(law):
        how = law.frontier or (ALONG if has_frontier(law) else NONE)
        return FIXING.format(how=how, names=", ".join(fixed)) if fixed and has_frontier(law) else how
    how = SEARCHED.format(price=USUAL_PRICE if cost_under(law) is TRAINING else OWN_PRICE)
    how = FIXING.format(how=how, names=", ".join(fixed)) if fixed else how
    return f"{how}; {law.frontier}" if law.frontier else how
