"""Laws, objectives and schemes by name: what is code stays in the package or with the user, only its name is saved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from jaxscale.errors import StoreError, UsageError
from jaxscale.laws import LAWS, ExpressionLoss, Law, law_from_expression
from jaxscale.laws.grouped import core_of, grouped, grouping_of
from jaxscale.objectives import OBJECTIVES, Objective
from jaxscale.registry import Registry, T
from jaxscale.resampling import SCHEMES, Scheme
from jaxscale.store.record import Record
from jaxscale.store.scalars import Json, written
from jaxscale.text import listed, shown

NOT_SHIPPED = (
    "{place}: the {kind} {name} is not one that ships with this jaxscale, and code is not saved.\n"
    "Give it to load: js.load(folder, {argument}=(…,)), or refit with a {kind} that ships: {known}."
)
OTHER_LAW = (
    "{place}: the law {name} was saved with {part} {saved}, and the one at hand has {found}.\n"
    "Load it with the jaxscale that saved it, or with the law that was fitted: js.load(folder, laws=(…,))."
)
BAD_EXPRESSION = "{place}: {field} is not the text of a law, so the file is damaged; fit again\n{why}"

SPACES: dict[str, Literal["log", "linear"]] = {"log": "log", "linear": "linear"}


def written_law(law: Law) -> dict[str, Json]:
    """Return what identifies a law: not its function, but how it was grouped, and the text of a typed one."""
    grouping, core = grouping_of(law), core_of(law)
    own: dict[str, Json] = {}
    if isinstance(core.loss, ExpressionLoss):
        own = {"expression": core.loss.text, "declared": [one.text for one in core.loss.declared]}
    groups: dict[str, Json] | None = None
    if grouping is not None:
        groups = {"groups": list(grouping.groups), "per_group": list(grouping.per_group)}
    return {
        "name": law.name,
        "is_shipped": core in tuple(LAWS),
        **own,
        "grouping": groups,
        "equation": law.equation,
        "inputs": list(law.inputs),
        "coefs": [{"name": coef.name, "support": coef.support} for coef in law.coefs],
    }


def law_of(record: Record, own: Iterable[Law]) -> Law:
    """Return the law: of the user's own, else as it was typed, else of the registry.

    Raises StoreError if there is none, or if it differs from what was saved.
    """
    given = tuple(own)
    is_typed = "expression" in record.fields and record.text("name") not in [law.name for law in given]
    law = _grouped(record, _typed(record) if is_typed else _found("law", record, LAWS, given))
    coefs = [(coef.text("name"), coef.text("support")) for coef in record.children("coefs")]
    _check_same("inputs", record, record.texts("inputs"), law.inputs)
    _check_same("coefs", record, [name for name, _ in coefs], law.names)
    _check_same("supports", record, [support for _, support in coefs], [coef.support for coef in law.coefs])
    return law


def _typed(record: Record) -> Law:
    """Return the law of a saved expression, which passes through the same parser as a typed one."""
    expression, declared = record.text("expression"), record.texts("declared")
    try:
        return law_from_expression(expression, declared, name=record.text("name"))
    except UsageError as error:
        place, field, first = record.place, f"{record.path}expression", str(error).splitlines()[0]
        raise StoreError(BAD_EXPRESSION.format(place=place, field=field, why=first)) from error


def _grouped(record: Record, law: Law) -> Law:
    """Return the law with the groups it was saved with; results of before there were any have none."""
    groups = record.optional_child("grouping") if "grouping" in record.fields else None
    if groups is None:
        return law
    try:
        return grouped(law, groups.texts("groups"), groups.texts("per_group"))
    except UsageError as error:
        raise record.wrong("grouping", f"groups of the law {shown(law.name)}") from error


def written_objective(objective: Objective) -> dict[str, Json]:
    """Return what identifies an objective; its rho is not saved."""
    return {
        "name": objective.name,
        "is_shipped": any(_varied(known, objective) == objective for known in OBJECTIVES),
        "space": objective.space,
        "scale": written(objective.scale),
        "limit": written(objective.limit),
    }


def objective_of(record: Record, own: Iterable[Objective]) -> Objective:
    """Return the objective, in the space and at the scale that were saved; raise StoreError if there is none."""
    known = _found("objective", record, OBJECTIVES, own)
    space, scale = record.text("space"), record.number("scale")
    if space not in SPACES:
        raise record.wrong("space", "'log' or 'linear'")
    if not scale > 0.0:
        raise record.wrong("scale", "a positive number")
    if known.limit != record.number("limit"):
        raise record.wrong("limit", f"{known.limit}, which the objective '{known.name}' has")
    return replace(known, space=SPACES[space], scale=scale)


def written_scheme(scheme: Scheme) -> dict[str, Json]:
    """Return what identifies a scheme; its rule is not saved."""
    return {"name": scheme.name, "is_shipped": scheme in tuple(SCHEMES)}


def scheme_of(record: Record, own: Iterable[Scheme]) -> Scheme:
    """Return the scheme; raise StoreError if there is none of its name."""
    return _found("scheme", record, SCHEMES, own)


def _found(kind: str, record: Record, registry: Registry[T], own: Iterable[T]) -> T:
    """Return the user's own entry of that name, or the shipped one if a shipped one was saved."""
    name, is_shipped = record.text("name"), record.flag("is_shipped")
    entries: dict[str, T] = {entry.name: entry for entry in registry} if is_shipped else {}
    entries |= {entry.name: entry for entry in own}
    if name not in entries:
        known = listed(registry.names, limit=12)
        raise StoreError(
            NOT_SHIPPED.format(place=record.place, kind=kind, name=shown(name), argument=f"{kind}s", known=known)
        )
    return entries[name]


def _check_same(part: str, record: Record, saved: Iterable[str], found: Iterable[str]) -> None:
    saved, found = tuple(saved), tuple(found)
    if saved != found:
        name, both = shown(record.text("name")), [listed([shown(word) for word in words]) for words in (saved, found)]
        raise StoreError(OTHER_LAW.format(place=record.place, name=name, part=part, saved=both[0], found=both[1]))


def _varied(known: Objective, wanted: Objective) -> Objective:
    return replace(known, space=wanted.space, scale=wanted.scale)
