"""Find a table by name and read it like any other table."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from importlib import resources

from jaxscale.datasets.epoch import EPOCH
from jaxscale.datasets.public import Public, file_of
from jaxscale.errors import UsageError
from jaxscale.registry import Registry
from jaxscale.runs import Runs, read_runs
from jaxscale.runs.showing import shown

NOT_A_NAME = "data set {name}: a name has 1 to 64 of a-z, 0-9, '.', '_' and '-'. Known: {known}."

_NAME = re.compile(r"[a-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Shipped:
    """A table that ships: its name, which is also that of its CSV and of its card."""

    name: str


DATASETS: Registry[Shipped | Public] = Registry("data set", (Shipped("pilot"), EPOCH))


def names() -> tuple[str, ...]:
    """Return the names of the tables, those that ship first."""
    return DATASETS.names


def load(name: str) -> Runs:
    """Return the runs of a table; its name is their source.

    Raises UsageError for a name that is unknown, or that no data set may have. A public table is read from the folder
    that the environment variable JAXSCALE_DATA_DIR names, or else fetched once: RunsError where it is not there, cannot
    be fetched or has other bytes than it should; MissingPartError where fetching it takes pooch, and that is missing.
    """
    entry = _known(name)
    if isinstance(entry, Public):
        runs = read_runs(file_of(entry), map=entry.columns)
    else:
        with resources.as_file(resources.files("jaxscale.datasets") / f"{entry.name}.csv") as path:
            runs = read_runs(path)
    return replace(runs, origin=replace(runs.origin, source=entry.name))


def card(name: str) -> str:
    """Return the Markdown card of a table: what it is, its columns, its licence, known quirks; errors as `load`.

    A public table need not be there for it.
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
