"""Which column plays which role: told by --map, or recognised by name, never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from jaxscale.errors import RunsError, UsageError
from jaxscale.registry import unknown
from jaxscale.runs.aliases import ALIASES, GROUP, ROLES, plain, role_of
from jaxscale.runs.deriving import SOURCES
from jaxscale.runs.showing import listed, shown

COLUMN_MISSING = (
    "{source}: no column for {roles}; the columns are {headers}.{near}\nSay which one it is: --map {first}=COLUMN."
)
NEAR = " Nearest: {names}."
MAPPED_TO_NOTHING = "{source}: {option} names no column; the columns are {headers}.{near}\nName one of these."
MAPPED_TWICE = "{source}: column {name} is given to {roles}; one column plays one role: correct --map or --group"
AMBIGUOUS = "{source}: both {headers} could be {role}.\nSay which one is meant: --map {role}={choice}."
TWO_GROUPS = "--group {group} and --map group={mapped} name different columns; give one of them"


def assigned(
    headers: Sequence[str],
    *,
    given: Mapping[str, str],
    inputs: tuple[str, ...],
    beside: tuple[str, ...],
    group: str | None,
    source: str,
) -> dict[str, str]:
    """Return role → header for every role that the table fills; roles are params, tokens, flops, loss, weight, group
    and the names of other inputs. Those `beside` are roles only where they are given.

    Raises RunsError if a needed column is missing and cannot be derived, if two headers could play one role, or if
    one header would play two; UsageError for a role that does not exist.
    """
    others = tuple(name for name in inputs if name not in ROLES)
    told = _told(headers, given, (*ROLES, GROUP, *others, *beside), group, source)
    found = {
        role: _recognised(headers, role, taken=set(told.values()), source=source) for role in ROLES if role not in told
    }
    found |= {name: _named(headers, name, source) for name in others if name not in told}
    roles = {**told, **{role: header for role, header in found.items() if header is not None}}
    _refuse_shared(roles, source)
    missing = [role for role in (*inputs, "loss") if role not in roles and not _is_derivable(role, roles)]
    if missing:
        raise RunsError(_missing_message(missing, headers, source), missing=missing)
    return roles


def _told(
    headers: Sequence[str], given: Mapping[str, str], known: tuple[str, ...], group: str | None, source: str
) -> dict[str, str]:
    told = dict(given)
    if group is not None and told.setdefault(GROUP, group) != group:
        raise UsageError(TWO_GROUPS.format(group=shown(group), mapped=shown(told[GROUP])))
    for role, name in told.items():
        if role not in known:
            raise UsageError(unknown("role", role, known))
        header = _named(headers, name, source)
        if header is None:
            option = f"--group {shown(name)}" if role == GROUP else f"--map {role}={shown(name)}"
            near = _near([name], headers)
            raise RunsError(
                MAPPED_TO_NOTHING.format(source=source, option=option, headers=_shown_all(headers), near=near)
            )
        told[role] = header
    return told


def _recognised(headers: Sequence[str], role: str, *, taken: set[str], source: str) -> str | None:
    """Return the header for a role: its own name exactly, else its own name in other dress, else an alias."""
    if role in headers:
        return role if role not in taken else None
    free = [header for header in headers if header not in taken and role_of(header) == role]
    matches = [header for header in free if plain(header) == role] or free
    if len(matches) > 1:
        raise RunsError(
            AMBIGUOUS.format(source=source, headers=_shown_all(matches), role=role, choice=shown(matches[0]))
        )
    return matches[0] if matches else None


def _named(headers: Sequence[str], name: str, source: str) -> str | None:
    """Return the header of that name, exactly or else in other dress."""
    if name in headers:
        return name
    matches = [header for header in headers if plain(header) == plain(name)]
    if len(matches) > 1:
        raise RunsError(
            AMBIGUOUS.format(source=source, headers=_shown_all(matches), role=name, choice=shown(matches[0]))
        )
    return matches[0] if matches else None


def _refuse_shared(roles: Mapping[str, str], source: str) -> None:
    players: dict[str, list[str]] = {}
    for role, header in roles.items():
        if role != GROUP:  # a group may be any column, the seed or even params
            players.setdefault(header, []).append(role)
    for header, played in players.items():
        if len(played) > 1:
            raise RunsError(MAPPED_TWICE.format(source=source, name=shown(header), roles=" and ".join(played)))


def _is_derivable(role: str, roles: Mapping[str, str]) -> bool:
    return role in SOURCES and all(other in roles for other in SOURCES[role])


def _missing_message(missing: list[str], headers: Sequence[str], source: str) -> str:
    wanted = " and ".join(f"{role} (or {_instead(role)})" if role in SOURCES else role for role in missing)
    spoken = [alias for role in missing for alias in (role, *ALIASES.get(role, ())) if len(alias) > 1]
    return COLUMN_MISSING.format(
        source=source, roles=wanted, headers=_shown_all(headers), near=_near(spoken, headers), first=missing[0]
    )


def _instead(role: str) -> str:
    return " with ".join(SOURCES[role]) + " to derive it"


def _near(names: Sequence[str], headers: Sequence[str]) -> str:
    by_plain = {plain(header): header for header in headers}
    close = [by_plain[hit] for name in names for hit in get_close_matches(plain(name), by_plain, n=2, cutoff=0.7)]
    close += [header for header in headers if any(name in plain(header) for name in names)]
    close = list(dict.fromkeys(close))
    return NEAR.format(names=_shown_all(close[:4])) if close else ""


def _shown_all(headers: Sequence[str]) -> str:
    return listed([shown(header) for header in headers], limit=12)
