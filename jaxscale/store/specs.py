"""Laws, objectives, schemes … by name: only the name is saved, the code stays in the package or with the user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from jaxscale.counting import CONVENTIONS, Convention
from jaxscale.errors import StoreError, UsageError
from jaxscale.intervals import INTERVALS, Interval
from jaxscale.laws import LAWS, ExpressionLoss, Law, law_from_expression
from jaxscale.laws.grouped import core_of, grouped, grouping_of
from jaxscale.objectives import OBJECTIVES, Objective, student_t
from jaxscale.registry import Named, Registry
from jaxscale.resampling import SCHEMES, Scheme
from jaxscale.text import listed, shown, shown_name

FIELD_WRONG = "{place}: {field} is {found}, not {expected}, so the file is damaged; fit again"
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


@dataclass(frozen=True)
class NamedForm:
    """The saved form of a scheme, an interval or a convention."""

    name: str
    is_shipped: bool


@dataclass(frozen=True)
class ObjectiveForm:
    """The saved form of an objective, without its rho."""

    name: str
    is_shipped: bool
    space: str
    scale: float
    limit: float
    dof: float | None
    is_estimated: bool


@dataclass(frozen=True)
class LawForm:
    """The saved form of a law: no function, but the text of a typed law with its declared coefs.

    groups, per_group: how it was grouped, both empty where it was not.   coefs: name → support.
    """

    name: str
    is_shipped: bool
    expression: str | None
    declared: tuple[str, ...]
    groups: tuple[str, ...]
    per_group: tuple[str, ...]
    equation: str
    inputs: tuple[str, ...]
    coefs: Mapping[str, str]


REGISTRIES: Mapping[type, Registry] = {
    Law: LAWS,
    Objective: OBJECTIVES,
    Scheme: SCHEMES,
    Interval: INTERVALS,
    Convention: CONVENTIONS,
}
FORMS: Mapping[type, type] = {
    Law: LawForm,
    Objective: ObjectiveForm,
    Scheme: NamedForm,
    Interval: NamedForm,
    Convention: NamedForm,
}


def wrong_field(place: str, path: str, found: object, expected: str) -> StoreError:
    """Return the error for an invalid field of a document."""
    words = {"field": shown_name(path), "found": shown(str(found)), "expected": expected}
    return StoreError(FIELD_WRONG.format(place=place, **words))


def form_of(spec: object) -> object:
    """Return the saved form of a specification."""
    if isinstance(spec, Law):
        return _law_form(spec)
    if isinstance(spec, Objective):
        is_shipped = any(_set(one, spec) == spec for one in OBJECTIVES)
        return ObjectiveForm(spec.name, is_shipped, spec.space, spec.scale, spec.limit, spec.dof, spec.is_estimated)
    if isinstance(spec, Scheme | Interval | Convention):
        return NamedForm(spec.name, spec in tuple(REGISTRIES[type(spec)]))
    raise TypeError(type(spec).__name__)


@dataclass(frozen=True)
class Known:
    """Finds specifications by name.   own: the user's, by kind, which go before those that ship.   place: the file."""

    own: Mapping[type, tuple[Named, ...]]
    place: str

    def spec_of(self, kind: type, form: object, path: str) -> object:
        """Return the specification of a form; raise StoreError if there is none, or if it differs from what was saved.

        path: where the form stands, for messages.
        """
        if isinstance(form, LawForm):
            return self._law(form, path)
        if isinstance(form, ObjectiveForm):
            return self._objective(form, path)
        assert isinstance(form, NamedForm)  # there is no other
        return self._found(kind, form.name, is_shipped=form.is_shipped)

    def _law(self, form: LawForm, path: str) -> Law:
        """Return the law: of the user's own, else as it was typed, else of the registry."""
        is_typed = form.expression is not None and form.name not in [one.name for one in self.own.get(Law, ())]
        law = self._typed(form, path) if is_typed else self._found(Law, form.name, is_shipped=form.is_shipped)
        assert isinstance(law, Law)  # of the kind that was asked for
        if form.groups or form.per_group:
            try:
                law = grouped(law, form.groups, form.per_group)
            except UsageError as error:
                raise wrong_field(self.place, f"{path}.groups", form.groups, f"groups of {shown(law.name)}") from error
        parts = {
            "inputs": (form.inputs, law.inputs),
            "coefs": (tuple(form.coefs), law.names),
            "supports": (tuple(form.coefs.values()), tuple(coef.support for coef in law.coefs)),
        }
        for part, (saved, found) in parts.items():
            if saved != found:
                both = [listed([shown(word) for word in words]) for words in (saved, found)]
                told = {"name": shown(form.name), "part": part, "saved": both[0], "found": both[1]}
                raise StoreError(OTHER_LAW.format(place=self.place, **told))
        return law

    def _typed(self, form: LawForm, path: str) -> Law:
        """Return the law of a saved expression, which passes through the same parser as a typed one."""
        try:
            return law_from_expression(form.expression or "", form.declared, name=form.name)
        except UsageError as error:
            told = {"field": f"{path}.expression", "why": str(error).splitlines()[0]}
            raise StoreError(BAD_EXPRESSION.format(place=self.place, **told)) from error

    def _objective(self, form: ObjectiveForm, path: str) -> Objective:
        """Return the objective, in the space and at the scale that were saved."""
        known = self._found(Objective, form.name, is_shipped=form.is_shipped)
        assert isinstance(known, Objective)  # of the kind that was asked for
        if form.space not in SPACES:
            raise wrong_field(self.place, f"{path}.space", form.space, "'log' or 'linear'")
        if not form.scale > 0.0:
            raise wrong_field(self.place, f"{path}.scale", form.scale, "a positive number")
        if known.limit != form.limit:
            expected = f"{known.limit}, which the objective '{known.name}' has"
            raise wrong_field(self.place, f"{path}.limit", form.limit, expected)
        if (known.dof is None) != (form.dof is None) or not (form.dof is None or form.dof > 0.0):
            expected = "a positive number" if known.dof else "null"
            raise wrong_field(self.place, f"{path}.dof", form.dof, expected)
        return _set(
            known,
            replace(known, space=SPACES[form.space], scale=form.scale, dof=form.dof, is_estimated=form.is_estimated),
        )

    def _found(self, kind: type, name: str, *, is_shipped: bool) -> Named:
        """Return the user's own entry of that name, or the shipped one if a shipped one was saved."""
        registry = REGISTRIES[kind]
        entries: dict[str, Named] = {entry.name: entry for entry in registry} if is_shipped else {}
        entries |= {entry.name: entry for entry in self.own.get(kind, ())}
        if name not in entries:
            word, known = registry.kind, listed(registry.names, limit=12)
            told = {"kind": word, "name": shown(name), "argument": f"{word}s", "known": known}
            raise StoreError(NOT_SHIPPED.format(place=self.place, **told))
        return entries[name]


def _set(known: Objective, like: Objective) -> Objective:
    """Return a known objective with the space, the scale and the degrees of freedom of another."""
    if known.dof is None or like.dof is None:
        return replace(known, space=like.space, scale=like.scale)
    return replace(student_t(like.dof), space=like.space, scale=like.scale, is_estimated=like.is_estimated)


def _law_form(law: Law) -> LawForm:
    grouping, core = grouping_of(law), core_of(law)
    typed = core.loss if isinstance(core.loss, ExpressionLoss) else None
    return LawForm(
        name=law.name,
        is_shipped=core in tuple(LAWS),
        expression=None if typed is None else typed.text,
        declared=() if typed is None else tuple(one.text for one in typed.declared),
        groups=() if grouping is None else grouping.groups,
        per_group=() if grouping is None else grouping.per_group,
        equation=law.equation,
        inputs=law.inputs,
        coefs={coef.name: coef.support for coef in law.coefs},
    )


def own_specs(**given: Iterable[Named]) -> dict[type, tuple[Named, ...]]:
    """Return the user's own specifications by kind, of what was given as `laws`, `objectives` …"""
    kinds = {f"{registry.kind}s": kind for kind, registry in REGISTRIES.items()}
    return {kinds[argument]: tuple(entries) for argument, entries in given.items()}
