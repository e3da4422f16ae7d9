"""Find a table by name and read it like any other table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Literal

from jaxscale.datasets.public import CHANGED, EPOCH, Public, check_digest, file_of
from jaxscale.errors import UsageError
from jaxscale.finding import Finding
from jaxscale.registry import Registry
from jaxscale.runs import Runs, read_runs
from jaxscale.text import shown

NOT_A_NAME = "data set {name}: a name has 1 to 64 of a-z, 0-9, '.', '_' and '-'. Known: {known}."

PILOT_RUNS = (
    "measured runs of very small language models on bytes: tokens are bytes, and losses nats per byte; "
    "jaxscale.datasets.card('pilot') says how they were made"
)

_NAME = re.compile(r"[a-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Shipped:
    """A table that ships: its name, also that of its CSV and of its card, and what every output says of it."""

    name: str
    finding: Finding


PILOT = Shipped("pilot", Finding("pilot-runs", PILOT_RUNS))
DATASETS: Registry[Shipped | Public] = Registry("data set", (PILOT, EPOCH))


def names() -> tuple[str, ...]:
    """Return the names of the tables, those that ship first.

    Returns
    -------
    tuple of str
        What `load` and `card` take.

    Examples
    --------
    >>> js.datasets.names()
    ('pilot', 'epoch-chinchilla')
    """
    return DATASETS.names


def load(
    name: str,
    *,
    map: Mapping[str, str] | None = None,
    where: Sequence[str] = (),
    missing: Literal["refuse", "drop"] = "refuse",
    group: str | None = None,
    inputs: tuple[str, ...] = ("params", "tokens"),
    beside: tuple[str, ...] = (),
    positive_loss: bool = True,
    units_ok: bool = False,
    final: bool = False,
    annealed: bool = False,
    lowest_per: Mapping[str, float] | None = None,
) -> Runs:
    """Return the runs of a table; its name is their source.

    A public table is read from the folder that the environment variable JAXSCALE_DATA_DIR names, or else fetched once.

    Parameters
    ----------
    name
        One of `names()`.
    map, where, missing, group, inputs, beside, positive_loss, units_ok, final, annealed, lowest_per
        As in `js.read_runs`.

    Returns
    -------
    Runs
        With the finding of the table, if it ships.

    Raises
    ------
    UsageError
        For a name that is unknown, or that no data set may have; and as `js.read_runs`.
    RunsError
        Where a public table is not there, cannot be fetched or has other bytes than it should; and as `js.read_runs`.
    MissingDependencyError
        Where fetching it takes pooch, and that is missing.

    Examples
    --------
    >>> pilot = js.datasets.load("pilot", where=["params > 1e5"])
    >>> pilot.origin.source
    'pilot'
    """
    entry = _known(name)
    with _located(entry) as path:
        runs = read_runs(
            path,
            map=map,
            where=where,
            missing=missing,
            group=group,
            inputs=inputs,
            beside=beside,
            positive_loss=positive_loss,
            units_ok=units_ok,
            final=final,
            annealed=annealed,
            lowest_per=lowest_per,
        )
        if isinstance(entry, Public):
            check_digest(entry, runs.origin.sha256, str(path), CHANGED)
    findings = runs.findings if isinstance(entry, Public) else (entry.finding, *runs.findings)
    return replace(runs, origin=replace(runs.origin, source=entry.name), findings=findings)


def _located(entry: Shipped | Public) -> AbstractContextManager[Path]:
    """Return a scope with the path of a table."""
    if isinstance(entry, Public):
        return nullcontext(file_of(entry))
    return resources.as_file(resources.files("jaxscale.datasets") / f"{entry.name}.csv")


def card(name: str) -> str:
    """Return the Markdown card of a table: what it is, its columns, its licence, known quirks.

    A public table need not be there for it.

    Parameters
    ----------
    name
        One of `names()`.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    UsageError
        For a name that is unknown, or that no data set may have.

    Examples
    --------
    >>> print(js.datasets.card("pilot").splitlines()[0])
    # ...
    """
    entry = _known(name)
    if isinstance(entry, Public):
        return entry.card
    return (resources.files("jaxscale.datasets") / f"{entry.name}.md").read_text(encoding="utf-8")


def _known(name: str) -> Shipped | Public:
    """Return the entry; only registered names ever become part of a path."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(NOT_A_NAME.format(name=shown(str(name)), known=", ".join(DATASETS.names)))
    return DATASETS.resolve(name)
