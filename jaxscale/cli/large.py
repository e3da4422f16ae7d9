"""A fit of so many replicates that its folder grows part by part, and the same command goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jaxscale.cli import choosing
from jaxscale.cli.options import INTERVAL, Fitting, Reading, Showing, bundled
from jaxscale.cli.parameters import Number
from jaxscale.cli.session import Bar, Command, Session
from jaxscale.errors import StoreError, UsageError

if TYPE_CHECKING:
    from jaxscale.results import Study
    from jaxscale.runs import Runs
    from jaxscale.text import Json

ONLY_LARGE = (
    "--{option} is for studies in parts, of more than {part:,} replicates; this one has {replicates:,}: leave it out, "
    "or ask for more --replicates"
)
OTHER_OPTION = (
    "{place}: was begun with --{option} {saved}, and this command says {found}.\n"
    "Say the same, choose another --out, or begin anew with --force."
)
PROFILE = "profile"
NOT_LARGE = (
    "--interval {interval} is for studies that are no larger than {part:,} --replicates: it gains nothing from more of "
    "them, and the frontier of a study in parts, which is found anew whenever that is opened, would take long"
)
KEPT = "{count:,} of {asked:,} replicates are kept in {folder}; the same command goes on from there"
BEGUN = "nothing is kept yet"
ABSENT = "nothing"


@dataclass(frozen=True)
class Work:
    """Options of work on a large study: when it ends, and who solves its parts."""

    max_seconds: float | None
    executor: str | None


def work_options(command: Command) -> Command:
    """Add the options of work on a large study, and give them to the command as `work`."""
    return bundled(
        "work",
        Work,
        click.option("--max-seconds", type=Number(0.0), help=(
            "Begin no part of a large study after so many seconds; the same command goes on later. [default: no "
            "limit]")),
        click.option("--executor", metavar="NAME", help=(
            "Who solves the parts of a large study: processes, processes:N, or MODULE:FUNCTION, which returns an "
            "executor of concurrent.futures. [default: this process]")),
    )(command)  # fmt: skip


def is_in_parts(fitting: Fitting, showing: Showing, work: Work) -> bool:
    """Return whether a study is one in parts; raise UsageError for options of the other kind."""
    from jaxscale.parts import limits

    if fitting.replicates > limits.MOST:
        if showing.interval == PROFILE:
            raise UsageError(NOT_LARGE.format(interval=PROFILE, part=limits.MOST))
        return True
    for option, value in (("max-seconds", work.max_seconds), ("executor", work.executor)):
        if value is not None:
            words = {"option": option, "part": limits.MOST, "replicates": fitting.replicates}
            raise UsageError(ONLY_LARGE.format(**words))
    return False


def options_of(reading: Reading, fitting: Fitting, showing: Showing) -> dict[str, Json]:
    """Return the options that can change the result; more replicates are the same study."""
    chosen = {**asdict(reading), **asdict(fitting), **asdict(showing)}
    return {name: value for name, value in chosen.items() if name not in ("device", "replicates")}


def check_options(folder: Path, options: Mapping[str, Json]) -> None:
    """Raise StoreError for a large study that was begun with another option, named, before anything is fitted."""
    from jaxscale.reports import json_text
    from jaxscale.store import manifest
    from jaxscale.text import shown_name

    if not manifest.is_large(folder):
        return
    saved = manifest.read_manifest(folder).options
    for name, value in options.items():
        one, other = (json_text({name: item}) for item in (saved.get(name), value))
        if saved and one != other:
            words = {"option": name.replace("_", "-"), "saved": _told(saved.get(name)), "found": _told(value)}
            raise StoreError(OTHER_OPTION.format(place=shown_name(str(folder)), **words))


def study_in(
    folder: Path,
    runs: Runs,
    fitting: Fitting,
    showing: Showing,
    work: Work,
    session: Session,
    bar: Bar,
    *,
    digest: str,
    options: Mapping[str, Json],
    force: bool,
) -> Study:
    """Return the study of a table with the parts that are there, after those missing were made in its folder.

    A study that was begun before is not fitted again. One whose fit is no minimum has no parts, and is not saved here.
    """
    from jaxscale.parts import bootstrap_in
    from jaxscale.parts.frontiers import with_large_frontier
    from jaxscale.store.manifest import is_same_study
    from jaxscale.store.saving import saved_study

    if is_same_study(folder, digest):
        begun = saved_study(folder, {})
    else:
        begun = choosing.study_of(runs, replace(fitting, replicates=0), showing, bar)
        if not begun.fit.is_usable or not begun.fit.free:
            return choosing.study_of(runs, fitting, showing, bar)
    session.keep = lambda: kept_words(folder)
    ensemble = bootstrap_in(
        folder,
        begun,
        scheme=fitting.scheme,
        replicates=fitting.replicates,
        seed=fitting.seed,
        interval=showing.interval or INTERVAL,
        device=fitting.device,
        executor=work.executor,
        max_seconds=work.max_seconds,
        on_stage=bar.stage,
        on_done=bar.advance,
        digest=digest,
        options=options,
        force=force,
    )
    return with_large_frontier(folder, begun, ensemble, bar.stage)


def kept_words(folder: Path) -> str:
    """Return how many replicates of a large study are kept; raise StoreError for a manifest that is damaged."""
    from jaxscale.parts import inventory
    from jaxscale.store import manifest

    if not manifest.is_large(folder):
        return BEGUN
    found = inventory(folder)
    return KEPT.format(count=found.there, asked=found.asked, folder=folder)


def _told(value: Json) -> str:
    from jaxscale.text import escaped

    if isinstance(value, Mapping):
        return escaped(",".join(f"{name}={one}" for name, one in value.items()))[:60] or ABSENT
    if isinstance(value, list | tuple):
        return escaped(",".join(str(one) for one in value))[:60] or ABSENT
    return ABSENT if value is None else escaped(str(value))[:60]
