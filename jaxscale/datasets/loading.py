"""Find a shipped table by name and read it like any other table."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from importlib import resources

from jaxscale.errors import UsageError
from jaxscale.registry import Registry
from jaxscale.runs import Finding, Runs, read_runs
from jaxscale.runs.showing import shown

NOT_A_NAME = "data set {name}: a name has 1 to 64 of a-z, 0-9, '.', '_' and '-'. Known: {known}."
SIMULATED_MESSAGE = (
    "these runs are simulated from a published law (Besiroglu et al. 2024) with 0.4 % noise, not measured; "
    "use them to try jaxscale, never to plan a run"
)

_NAME = re.compile(r"[a-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Dataset:
    """A shipped table: its name, which is also that of its CSV and of its card, and what every output must say."""

    name: str
    finding: Finding


DATASETS = Registry("data set", (Dataset("simulated", Finding("simulated-data", SIMULATED_MESSAGE)),))


def names() -> tuple[str, ...]:
    """Return the names of the tables that ship."""
    return DATASETS.names


def load(name: str) -> Runs:
    """Return the runs of a shipped table; its name is their source, and its finding comes first.

    Raises UsageError for a name that is unknown, or that no data set may have.
    """
    entry = _known(name)
    with resources.as_file(resources.files("jaxscale.datasets") / f"{entry.name}.csv") as path:
        runs = read_runs(path)
    return replace(runs, origin=replace(runs.origin, source=entry.name), findings=(entry.finding, *runs.findings))


def card(name: str) -> str:
    """Return the Markdown card of a shipped table: what it is, its columns, how it was made; errors as `load`."""
    return (resources.files("jaxscale.datasets") / f"{_known(name).name}.md").read_text(encoding="utf-8")


def _known(name: str) -> Dataset:
    """Return the entry; only registered names ever become part of a path."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(NOT_A_NAME.format(name=shown(str(name)), known=", ".join(DATASETS.names)))
    return DATASETS.resolve(name)
