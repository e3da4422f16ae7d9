"""The law, the coefs or the study that the options ask for, and the checks made before any table is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import click
from click.core import ParameterSource

from jaxscale.cli.options import INTERVAL, LEVEL, Fitting, Given, Showing
from jaxscale.cli.session import Bar
from jaxscale.errors import UsageError
from jaxscale.expressions.formula import declared_all, formula_of

if TYPE_CHECKING:
    from jaxscale.laws import Law, Published
    from jaxscale.objectives import Objective
    from jaxscale.results import Fit, Study
    from jaxscale.runs import Runs

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
NO_DELTA = "--delta belongs to the objectives 'huber' and 'log-cosh'; '{objective}' has none"
NO_DOF = "--dof belongs to the objective 'student-t'; '{objective}' has none"
TWO_SOURCES = "--constants names published coefs and --set gives others: give one of them"


class Chosen(Protocol):
    """The options of the law; fields of `Fitting` and `Choosing`."""

    @property
    def law(self) -> str:
        """The name of a law that ships."""
        ...

    @property
    def law_expr(self) -> str | None:
        """The text of a law, in place of a name."""
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
    """Return the name of the chosen law."""
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
    """Return the chosen law; raise UsageError for one that does not exist or cannot be read."""
    from jaxscale.laws import LAWS, law_from_expression

    if chosen.law_expr is None:
        return LAWS.resolve(chosen.law)
    name = name_of(chosen)
    if name in (*LAWS.names, *LAWS.aliases):
        raise UsageError(TAKEN.format(name=name))
    return law_from_expression(chosen.law_expr, chosen.coef, name=name)


def objective_of(fitting: Fitting) -> Objective:
    """Return the objective in its space, with its delta or dof; raise UsageError for one that it does not have."""
    from jaxscale.objectives import OBJECTIVES, student_t
    from jaxscale.objectives.spec import check_delta

    objective = replace(OBJECTIVES.resolve(fitting.objective), space=fitting.space)
    if fitting.dof is not None:
        if objective.dof is None:
            raise UsageError(NO_DOF.format(objective=objective.name))
        objective = student_t(fitting.dof, space=fitting.space)
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


def study_of(
    runs: Runs,
    fitting: Fitting,
    showing: Showing,
    bar: Bar,
    on_fit: Callable[[Fit], object] = lambda fit: None,
) -> Study:
    """Return the study of a table; on_fit: told the fit before it is resampled."""
    from jaxscale.studying import study

    return study(
        runs,
        law_of(fitting),
        objective=objective_of(fitting),
        solver=fitting.solver,
        fix=fitting.fixed,
        per_group=fitting.per_group,
        scheme=fitting.scheme,
        replicates=fitting.replicates,
        seed=fitting.seed,
        budgets=showing.flops or (),
        at=showing.at,
        level=showing.level or LEVEL,
        interval=showing.interval or INTERVAL,
        device=fitting.device,
        on_stage=bar.stage,
        on_done=bar.advance,
        on_fit=on_fit,
    )


def check_names(fitting: Fitting, showing: Showing) -> None:
    """Raise UsageError for a name that is not registered, or not one of the law's, before any table is read."""
    from jaxscale.allocation.inputs import check_fixed_names
    from jaxscale.intervals import INTERVALS
    from jaxscale.laws import LAWS
    from jaxscale.laws.checking import check_no_ties
    from jaxscale.laws.grouped import core_name
    from jaxscale.registry import unknown
    from jaxscale.resampling import SCHEMES
    from jaxscale.solvers import SOLVERS

    law = law_of(fitting)
    check_fixed_names(law, showing.at)
    for registry, name in (
        (SCHEMES, fitting.scheme),
        (SOLVERS, fitting.solver),
        (INTERVALS, showing.interval or INTERVAL),
    ):
        registry.resolve(name)
    named = [core_name(name) if fitting.per_group else name for name in fitting.fix]  # groups are not known yet
    for name in (*named, *fitting.per_group):
        if name not in law.names:
            raise UsageError(unknown("coef", name, law.names))
    check_no_ties(law, fitting.fix, known={one.name: one for one in LAWS})
    objective_of(fitting)


def check_counts(counts: Sequence[str]) -> None:
    """Raise UsageError for an unknown convention of counting, before any table is read."""
    from jaxscale.counting import ALL, CONVENTIONS
    from jaxscale.registry import unknown

    known = (*(one.name for one in CONVENTIONS if one.counted is not None), ALL)
    for name in counts:
        if name not in known:
            raise UsageError(unknown("--count:", name, known))


def check_countable(runs: Runs, counts: Sequence[str]) -> None:
    """Raise RunsError for a convention whose columns the table has not, before it is fitted."""
    from jaxscale.counting import ALL, recount

    for name in counts:
        if name != ALL:
            recount(runs, name)


def check_scheme(runs: Runs, fitting: Fitting) -> None:
    """Raise UsageError or RunsError for a scheme that draws nothing, or groups that the table lacks, before a fit."""
    from jaxscale.refitting import check_clusters
    from jaxscale.resampling import SCHEMES
    from jaxscale.results.samples import check_drawn

    check_drawn(SCHEMES.resolve(fitting.scheme))
    if fitting.replicates:
        check_clusters(runs, SCHEMES.resolve(fitting.scheme), has_own=bool(fitting.per_group))
