"""Assignment of columns to roles: by --map, or by name; two candidates are never decided by a guess."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from jaxscale.costs.training import SOURCES
from jaxscale.errors import RunsError, UsageError
from jaxscale.expressions.formula import formula_of
from jaxscale.expressions.tree import quoted
from jaxscale.finding import Finding
from jaxscale.registry import unknown
from jaxscale.runs.candidates import Cells, candidates_of
from jaxscale.runs.headers import (
    ALIASES,
    EPOCHS,
    GROUP,
    RECOGNISED,
    ROLES,
    SET_SIZES,
    SIGMA,
    is_called,
    is_qualified,
    known_name,
    last_part_names,
    role_of,
)
from jaxscale.runs.mapping import Computed, meant_by, named, near, shown_all
from jaxscale.runs.proposing import long_advice, proposed, proposed_flops, proposed_scale, wide_advice
from jaxscale.text import shown, typed

MISSING = "no column for {roles}; the columns are {headers}.{near}"
MAPPED_TWICE = "{source}: column {name} would be {roles}, which cannot be the same numbers: correct --map or --group"
AMBIGUOUS = "{headers} could {each} be {role}"
QUESTION = "{source}: {found}\nSay which one it is: {commands}"
INSTEAD = " or instead {option}"
TWO_GROUPS = "--group {group} and --map group={mapped} name different columns; give one of them"
SET_SEEN_OFTEN = (
    "tokens = {formula}: {size} says how many tokens the data set holds, and {epochs} how often they were seen; if "
    "{size} counts the tokens trained on, write --map tokens={typed}"
)

UNIQUE = "unique_tokens"
ALONE = ("loss", "weight", SIGMA)
"""Roles whose column can play no other."""
SIZES = ("params", "tokens", "flops")
"""Roles of which two are never the same numbers."""


@dataclass(frozen=True)
class Assigned:
    """The column of each role.

    headers: role → header, or the text of a formula.   computed: text → the formula.   findings: what was decided.
    """

    headers: Mapping[str, str]
    computed: Mapping[str, Computed]
    findings: tuple[Finding, ...] = ()


def assigned(
    headers: Sequence[str],
    cells: Cells,
    *,
    given: Mapping[str, str],
    inputs: tuple[str, ...],
    beside: tuple[str, ...],
    group: str | None,
    source: str,
    targets: tuple[str, ...] = ("loss",),
) -> Assigned:
    """Return the column of every role that the table fills; roles are params, tokens, flops, loss, weight, sigma, group
    and the names of other inputs. Those `beside`, sigma and group are roles only where they are given.   targets: roles
    that the table must have besides the inputs.

    Raises RunsError where a needed column is missing and cannot be derived, where two columns could play one role, or
    where one plays two that cannot be the same; UsageError for a role that does not exist, or a formula that cannot be
    read.
    """
    others = tuple(name for name in inputs if name not in RECOGNISED)
    told = _told(headers, given, (*ROLES, GROUP, *others, *beside), group, source)
    computed = {one.text: one for one in told.values() if isinstance(one, Computed)}
    roles = {role: one.text if isinstance(one, Computed) else one for role, one in told.items()}
    inputs_named = {named(headers, name, source) for name in others}
    spoken_for = {header for header in (*inputs_named, *roles.values()) if header is not None}
    questions = _recognise(headers, roles, cells, spoken_for)
    findings: tuple[Finding, ...] = ()
    if "tokens" not in roles and "tokens" not in questions:
        made = _sets_times_epochs(headers, roles, cells)
        if made is not None:
            computed[made.text] = made
            findings = (_seen_often(made),)
            roles |= {"tokens": made.text, UNIQUE: next(iter(made.columns.values()))}
    questions |= _recognise(headers, roles, cells, spoken_for, asked=questions, is_last=True)
    for name in others:
        header = named(headers, name, source) if name not in roles else None
        if header is None and name == UNIQUE and name not in roles:
            header = next((one for one in headers if is_called(one, SET_SIZES)), None)
        if header is not None:
            roles[name] = header
    _check_not_shared(roles, source)
    rivals = [header for header in questions.get("params", ()) if is_qualified(header) and known_name(header) is None]
    if rivals and not _rests_on_params(inputs, roles):
        del questions["params"]
    known = {*roles, *questions}
    missing = [role for role in (*inputs, *targets) if role not in known and not _is_derivable(role, known)]
    for role in tuple(missing):
        found = [header for header in headers if header not in roles.values() and last_part_names(header, role)]
        if len(found) == 1:
            roles[role] = found[0]
        elif found:
            questions[role] = tuple(found)
        missing = [one for one in missing if one != role] if found else missing
    for role in missing:
        _check_not_taken(role, roles, source)
    if questions or missing:
        free = [header for header in headers if header not in roles.values()]
        raise RunsError(_question(questions, missing, headers, free, cells, source), missing=missing)
    return Assigned(roles, computed, findings)


def _told(
    headers: Sequence[str], given: Mapping[str, str], known: tuple[str, ...], group: str | None, source: str
) -> dict[str, str | Computed]:
    told = dict(given)
    if group is not None and told.setdefault(GROUP, group) != group:
        raise UsageError(TWO_GROUPS.format(group=shown(group), mapped=shown(told[GROUP])))
    for role in told:
        if role not in known:
            raise UsageError(unknown("role", role, known))
    return {role: meant_by(role, text, headers, source) for role, text in told.items()}


def _recognise(
    headers: Sequence[str],
    roles: dict[str, str],
    cells: Cells,
    spoken_for: Collection[str],
    *,
    asked: Mapping[str, tuple[str, ...]] | None = None,
    is_last: bool = False,
) -> dict[str, tuple[str, ...]]:
    """Add to the roles what only one column could play, and return the roles that several could, with these."""
    questions = {}
    for role in RECOGNISED:
        if role not in roles and role not in (asked or {}):
            taken = {header for other, header in roles.items() if other in ROLES}
            free = [header for header in headers if header not in taken]
            known = {other: header for other, header in roles.items() if header in headers}
            found = candidates_of(role, free, known, cells, is_last=is_last, spoken_for=spoken_for)
            if len(found) == 1:
                roles[role] = found[0]
            elif found:
                questions[role] = found
    return questions


def _sets_times_epochs(headers: Sequence[str], roles: Mapping[str, str], cells: Cells) -> Computed | None:
    """Return the tokens trained as a data set's size times epochs, where a table has one column of each."""
    free = [header for header in headers if header not in roles.values() and cells.has_numbers(header)]
    sets = [header for header in headers if is_called(header, SET_SIZES) and cells.could_have_numbers(header)]
    epochs = [header for header in free if is_called(header, EPOCHS)]
    known = {role: header for role, header in roles.items() if header in headers}
    last = candidates_of("tokens", free, known, cells, is_last=True)
    if len(sets) != 1 or len(epochs) != 1 or any(header not in sets for header in last):
        return None
    size, times = (quoted(header) for header in (sets[0], epochs[0]))
    formula = formula_of(f"{size} * {times}", ())
    return Computed(formula, dict(zip(formula.inputs, (sets[0], epochs[0]), strict=True)))


def _seen_often(made: Computed) -> Finding:
    size, epochs = made.columns.values()
    told = {"formula": made.text, "size": shown(size), "epochs": shown(epochs), "typed": typed(size)}
    return Finding("epochs-multiplied", SET_SEEN_OFTEN.format(**told))


def _check_not_shared(roles: Mapping[str, str], source: str) -> None:
    """Raise RunsError where one column plays two roles that cannot be the same numbers, as loss and an input."""
    players: dict[str, list[str]] = {}
    for role, header in roles.items():
        if role != GROUP:  # a group may be any column, the seed or even params
            players.setdefault(header, []).append(role)
    for header, played in players.items():
        if len(played) > 1 and (set(played) & set(ALONE) or len(set(played) & set(SIZES)) > 1):
            raise RunsError(MAPPED_TWICE.format(source=source, name=shown(header), roles=" and ".join(played)))


def _check_not_taken(role: str, roles: Mapping[str, str], source: str) -> None:
    """Raise RunsError where the column that would play a missing role was given to another."""
    for other, header in roles.items():
        name = known_name(header)
        if name is not None and role_of(name) == role and other in ROLES:
            raise RunsError(MAPPED_TWICE.format(source=source, name=shown(header), roles=f"{other} and {role}"))


def _rests_on_params(inputs: Sequence[str], roles: Mapping[str, str]) -> bool:
    """Return whether an input is params, or is made of them where it has no column."""
    return any(name == "params" or ("params" in SOURCES.get(name, ()) and name not in roles) for name in inputs)


def _is_derivable(role: str, known: set[str]) -> bool:
    return role in SOURCES and all(other in known for other in SOURCES[role])


def _question(
    questions: Mapping[str, tuple[str, ...]],
    missing: list[str],
    headers: Sequence[str],
    free: Sequence[str],
    cells: Cells,
    source: str,
) -> str:
    """Return what the table leaves open, all of it, and what to type.   free: the headers that play no role."""
    found = [
        AMBIGUOUS.format(
            headers=" and ".join(map(shown, choices)), each="both" if len(choices) == 2 else "all", role=role
        )
        for role, choices in questions.items()
    ]
    commands = [f"--map {role}={typed(choices[0])}" for role, choices in questions.items()]
    instead = "".join(INSTEAD.format(option=f"--map params={typed(one)}") for one in _others(questions))
    if missing:
        wanted = " and ".join(f"{role} (or {_instead(role)})" if role in SOURCES else role for role in missing)
        spoken = [alias for role in missing for alias in (role, *ALIASES.get(role, ())) if len(alias) > 1]
        said = MISSING.format(roles=wanted, headers=shown_all(headers), near=near(spoken, headers))
        advice = wide_advice(headers, cells, missing, source) if "loss" in missing else ""
        advice = advice or long_advice(headers, source)
        if advice:
            return f"{source}: {said}\n{advice}"
        found.append(said)
        commands += _proposals(missing, headers, free, cells)
    text = "; ".join(found)
    text = text if text.endswith(".") else f"{text}."
    return QUESTION.format(source=source, found=text, commands=" ".join(commands) + instead)


def _proposals(missing: Sequence[str], headers: Sequence[str], free: Sequence[str], cells: Cells) -> list[str]:
    """Return what to type for missing roles: columns, formulas, and factors of units that the headers name.

    A column whose unit is one of compute is proposed for flops where the role that flops derive has no other.
    """
    told = {role: proposed(role, free, cells) for role in missing}
    compute = proposed_flops(free, cells)
    unfilled = [role for role, text in told.items() if not text and "flops" in SOURCES.get(role, ())]
    if compute and "flops" not in told and len(unfilled) == 1:
        told = {("flops" if role == unfilled[0] else role): text for role, text in told.items()} | {"flops": compute}
    scales = [proposed_scale(role, text) for role, text in told.items() if text in headers]
    maps = [f"--map {role}={typed(text) if text else 'COLUMN'}" for role, text in told.items()]
    return [*maps, *(f"--scale {typed(one)}" for one in scales if one)]


def _others(questions: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the columns besides the first that count params of one kind and could be params."""
    return tuple(header for header in questions.get("params", ())[1:] if is_qualified(header))


def _instead(role: str) -> str:
    return " with ".join(SOURCES[role]) + " to derive it"
