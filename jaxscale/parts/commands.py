"""Large studies of the command line: begun with all that was asked, gone on with by their folder alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from jaxscale.errors import StoreError
from jaxscale.intervals import INTERVALS
from jaxscale.meant import near_path
from jaxscale.parts import limits as limiting
from jaxscale.parts.executors import Crew
from jaxscale.parts.frontiers import complete_frontier, make_frontier
from jaxscale.parts.limits import checked_limits, checked_share, usual_part
from jaxscale.parts.making import work_in
from jaxscale.parts.surveying import Resampling, Solver, Told, check_listed
from jaxscale.resampling import SCHEMES
from jaxscale.results import Ensemble, Study
from jaxscale.results.samples import parts_for
from jaxscale.stages import Stages
from jaxscale.store.folder import absolute_path
from jaxscale.store.manifest import KeptPart, Manifest, is_large, is_same_study, read_manifest
from jaxscale.store.saving import saved_study
from jaxscale.studying import FRONTIER_STAGE
from jaxscale.text import Json, shown_name

NOT_LARGE = "{place}: holds no large study; jaxscale fit begins one, with more than {most:,} --replicates{meant}"


def bootstrap_in(
    folder: Path,
    begun: Study,
    *,
    scheme: str,
    replicates: int,
    seed: int,
    interval: str,
    device: str,
    executor: str | None,
    max_seconds: float | None,
    on_stage: Callable[[str, int | None], object],
    on_done: Callable[[int], object],
    digest: str,
    options: Mapping[str, Json],
    force: bool,
) -> Ensemble:
    """Return the ensemble of a study's fit, made in its folder as far as the limits allow.

    begun: the study without replicates, which is written once.   interval: what it needs beside replicates is made.
    digest, options: of the command.   The rest is as in `js.bootstrap`.
    """
    rule, parts, target = SCHEMES.resolve(scheme), parts_for(INTERVALS.resolve(interval)), absolute_path(folder)
    check_listed(rule)
    covariance = parts["covariance"]
    is_begun = is_same_study(target, digest)
    size = read_manifest(target).size if is_begun else usual_part(len(begun.fit.law.names), covariance=covariance)
    asked = Resampling(
        scheme=rule,
        seed=seed,
        chunk=None,
        covariance=covariance,
        jackknife=parts["jackknife"],
        nested=parts["nested"],
        profile=parts["profile"],
        part=size,
        device=device,
    )
    crew = None if executor is None else Crew.of(executor)
    is_plain = not any(parts.values())
    solver = Solver(begun.fit, asked, crew, Told(Stages(on_stage, on_done), _frontier_maker(begun, is_plain=is_plain)))
    limits = checked_limits(max_seconds)
    return work_in(target, begun, solver, replicates, limits, digest=digest, options=options, force=force)


def go_on(
    folder: Path,
    *,
    share: tuple[int, int] | None,
    replicates: int | None,
    device: str,
    executor: str | None,
    max_seconds: float | None,
    on_stage: Callable[[str, int | None], object],
    on_done: Callable[[int], object],
) -> Ensemble:
    """Return the ensemble of a study that was begun, or of a share of it, after parts that are missing were made.

    The arguments are those of `js.bootstrap`.   Raises StoreError for a folder without a large study.
    """
    target, limits, mine = absolute_path(folder), checked_limits(max_seconds), checked_share(share)
    if not is_large(target):
        raise StoreError(NOT_LARGE.format(place=shown_name(str(target)), most=limiting.MOST, meant=near_path(folder)))
    manifest, begun = read_manifest(target), saved_study(target, {})
    crew = None if executor is None else Crew.of(executor)
    asked, count, options = resampling_of(manifest, device), replicates or manifest.asked, manifest.options
    is_plain = not (asked.covariance or asked.jackknife or asked.nested or asked.profile)
    solver = Solver(begun.fit, asked, crew, Told(Stages(on_stage, on_done), _frontier_maker(begun, is_plain=is_plain)))
    made = work_in(target, begun, solver, count, limits, digest=manifest.digest, options=options, share=mine)
    if is_plain and mine == (1, 1) and not limits.is_over():
        on_stage(FRONTIER_STAGE, None)
        complete_frontier(target, begun)
    return made


def _frontier_maker(begun: Study, *, is_plain: bool) -> Callable[[Path, KeptPart], object]:
    """Return what makes the frontier of a part as soon as that is committed; nothing where it is not kept by parts."""
    if not is_plain or begun.frontier is None or begun.groups:
        return lambda folder, part: None
    return lambda folder, part: make_frontier(folder, part, begun)


def resampling_of(manifest: Manifest, device: str) -> Resampling:
    """Return how the fit of a study is resampled, as its manifest says."""
    facts = manifest.study
    nested, chunk = facts["nested"], facts["chunk"]
    return Resampling(
        scheme=SCHEMES.resolve(str(facts["scheme"])),
        seed=int(facts["seed"]),  # type: ignore[arg-type]
        chunk=None if chunk is None else int(chunk),  # type: ignore[arg-type]
        covariance=bool(facts["covariance"]),
        jackknife=bool(facts["jackknife"]),
        nested=tuple(nested) if isinstance(nested, list) else bool(nested),
        profile=bool(facts.get("profile", False)),
        part=manifest.size,
        device=device,
    )
