"""Which law is meant: one that ships, by name, or one that was typed; and at which coefs, where nothing is fitted."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import click
from click.core import ParameterSource

from jaxscale.errors import UsageError
from jaxscale.expressions.formula import declared_all, formula_of

if TYPE_CHECKING:
    from jaxscale.cli.options import Fitting, Given
    from jaxscale.laws import Law, Published
    from jaxscale.objectives import Objective

NAME = "expression"
NAMES = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,39}")

TWO_LAWS = "--law names a law that ships and --law-expr writes one: give one of them"
NEEDS_EXPRESSION = "--{option} belongs to --law-expr: write the law too, or leave it out"
NEEDS_COEFS = (
    "--law-expr needs its coefs, each as --coef name:support, as --coef E:positive --coef alpha:positive:0.1,0.5"
)
BAD_NAME = "--law-name has at most 40 letters, digits, dots, dashes and underscores, and begins with a letter"
TAKEN = "--law-name {name}: a law that ships has this name; give another"
NOT_DECLARED = "'{name}' is neither a coef nor given: add --coef {name}:positive, or {option} {name}=NUMBER"
NO_DELTA = "--delta belongs to the objective 'huber'; '{objective}' has none"
TWO_SOURCES = "--constants names published coefs and --set gives others: give one of them"


class Chosen(Protocol):
    """What was typed about the law; `Fitting` and `Choosing` have it."""

    @property
    def law(self) -> str:
        """The name of a law that ships."""
        ...

    @property
    def law_expr(self) -> str | None:
        """The text of a law, which then is meant."""
        ...

    @property
    def coef(self) -> tuple[str, ...]:
        """The coefs of that text."""
        ...

    @property
    def law_name(self) -> str | None:
        """The name of that text."""
        ...


def name_of(chosen: Chosen) -> str:
    """Return the name of the law that is meant."""
    return chosen.law if chosen.law_expr is None else chosen.law_name or NAME


def check_clear(chosen: Chosen) -> None:
    """Raise UsageError for invalid values of the law's options, before anything heavy is imported."""
    if chosen.law_expr is None:
        for option, value in (("coef", chosen.coef), ("law-name", chosen.law_name)):
            if value:
                raise UsageError(NEEDS_EXPRESSION.format(option=option))
        return
    if was_typed("law"):
        raise UsageError(TWO_LAWS)
    if chosen.law_name is not None and not NAMES.fullmatch(chosen.law_name):
        raise UsageError(BAD_NAME)
    if not chosen.coef:
        raise UsageError(NEEDS_COEFS)
    formula_of(chosen.law_expr, [one.name for one in declared_all(chosen.coef)])


def check_declared(chosen: Chosen, given: Collection[str], option: str) -> None:
    """Raise UsageError, with a caret, for a name in a typed law that is no coef, no size and not given by an option."""
    if chosen.law_expr is None:
        return
    from jaxscale.costs.spec import SIZES
    from jaxscale.runs.headers import role_of

    formula = formula_of(chosen.law_expr, [one.name for one in declared_all(chosen.coef)])
    for name in formula.inputs:
        if name not in (*given, *SIZES) and role_of(name) is None:  # a loss is refused as an input, with its reason
            formula.check_input_name(name, NOT_DECLARED.format(name=name, option=option))


def law_of(chosen: Chosen) -> Law:
    """Return the law that is meant; raise UsageError for one that does not exist or cannot be read."""
    from jaxscale.laws import LAWS, law_from_expression

    if chosen.law_expr is None:
        return LAWS.resolve(chosen.law)
    name = name_of(chosen)
    if name in (*LAWS.names, *LAWS.aliases):
        raise UsageError(TAKEN.format(name=name))
    return law_from_expression(chosen.law_expr, chosen.coef, name=name)


def objective_of(fitting: Fitting) -> Objective:
    """Return the objective in its space and with its delta; raise UsageError for a delta that it does not have."""
    from jaxscale.objectives import OBJECTIVES
    from jaxscale.objectives.spec import check_delta

    objective = replace(OBJECTIVES.resolve(fitting.objective), space=fitting.space)
    if fitting.delta is None:
        return objective
    if objective.delta is None:
        raise UsageError(NO_DELTA.format(objective=objective.name))
    return replace(objective, scale=check_delta(fitting.delta))


def given_coefs(law: Law, given: Given) -> Mapping[str, float] | None:
    """Return the coefs that were given, inside their supports; None where none were."""
    if given.constants is not None and given.set:
        raise UsageError(TWO_SOURCES)
    if given.constants is None and not given.set:
        return None
    from jaxscale.laws.checking import check_coefs

    coefs = given.set if given.constants is None else law.constants(given.constants)
    law.theta(coefs)
    check_coefs(law, coefs)
    return {name: coefs[name] for name in law.names}


def set_of(law: Law, given: Given) -> Published | None:
    """Return the published set that was named; None where numbers were given."""
    return None if given.constants is None else law.published_set(given.constants)


def was_typed(parameter: str) -> bool:
    """Return whether a parameter of this command stands on the command line."""
    return click.get_current_context().get_parameter_source(parameter) is ParameterSource.COMMANDLINE
