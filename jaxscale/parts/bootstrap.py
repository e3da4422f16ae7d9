"""`js.bootstrap`: refits to resampled tables, in memory, in a folder that grows part by part, or on many workers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from jaxscale.errors import UsageError
from jaxscale.parts.executors import Crew
from jaxscale.parts.gathering import gathered
from jaxscale.parts.limits import Limits, checked_limits, checked_part, checked_share, usual_part
from jaxscale.parts.making import work_in
from jaxscale.parts.surveying import Resampling, Solver, Told, check_listed
from jaxscale.refitting import resample
from jaxscale.refitting.bootstrap import check_beside
from jaxscale.refitting.setup import count_of
from jaxscale.resampling import SCHEMES, Scheme
from jaxscale.results import Ensemble, Fit, Study
from jaxscale.results.digests import digest_of_study
from jaxscale.results.kinds import check_kind
from jaxscale.stages import Stages
from jaxscale.store.folder import absolute_path
from jaxscale.store.manifest import is_large, read_manifest

NEEDS_FOLDER = "share = {share!r}: shares of a study are made in its folder; give folder, too"


def bootstrap(
    fit: Fit,
    *,
    scheme: Scheme | str = "pairs",
    replicates: int | None = None,
    seed: int = 0,
    chunk: int | None = None,
    covariance: bool = False,
    jackknife: bool = False,
    nested: bool | tuple[int, int] = False,
    profile: bool = False,
    device: str = "auto",
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    on_done: Callable[[int], object] = lambda count: None,
    folder: str | Path | None = None,
    executor: Executor | str | None = None,
    max_seconds: float | None = None,
    part: int | None = None,
    share: tuple[int, int] | None = None,
    is_stopping: Callable[[], bool] | None = None,
) -> Ensemble:
    """Return `replicates` refits of the fit's law, each to its own draw of the table.

    Replicate r depends on the seed and r alone: not on `replicates`, on `chunk`, on parts and workers or, but for
    rounding, on the device.

    Parameters
    ----------
    fit
        The point fit, at a minimum.
    scheme
        How tables are drawn: a Scheme, or a name of `jaxscale.resampling.SCHEMES`.
    replicates
        How many, at least 1; None for 4,000, for all that a scheme lists, as the jackknife does, or for as many as the
        study in the folder was asked for.
    seed
        An integer from 0 to 4294967295.
    chunk
        Most lanes per program call, two at least; None for what suits the device and the table.
    covariance
        Whether that of the coefs is computed in every replicate, for intervals that need standard errors.
    jackknife
        Whether the fits without each run are made, too, for intervals that need them; for a scheme that draws groups,
        those without each group.
    nested
        Whether tables are simulated from the fit, and resampled by the same scheme, for intervals that are calibrated
        by them; (T, R) for T tables and R replicates of each in place of 400 and 200. Their noise is that of the
        residuals, drawn by `residual`, or by `parametric-cluster` for a scheme that draws groups.
    profile
        Whether the profile of each coef is followed, by fits with it held, for the interval of that name; a frontier
        and predictions then have their own, which take a second or so for each number.
    device
        Where to compute: auto, cpu, gpu or tpu.
    on_stage, on_done
        Told what begins and of how many parts it is, and how many more parts of it are done: the survey, the refits,
        the search for lower minima, and failed replicates are stages of their own.
    folder
        Where the study is kept, part by part, so that the same call goes on where the last one ended, and more
        replicates are added to those that are there; `js.load` reads it. One process at a time works in it. None for
        memory alone.
    executor
        Who solves the parts: any `concurrent.futures.Executor`, `processes` or `processes:N` for processes of this
        machine, or `module:factory`, of a function that returns an executor. None for this process.
    max_seconds
        No part begins after so many seconds; the ensemble is that of the parts that are there.
    part
        Replicates in a part, in a folder or for an executor; None for 16,384, or what the folder has.
    share
        (k, n) for the k-th of n shares of the parts of a study whose folder has been begun. A share is kept in a folder
        of its own within that folder, so that n processes work at once; `js.merge` joins them.
    is_stopping
        Resampling before the first part and after every one whether to end there, as after `max_seconds`.

    Returns
    -------
    Ensemble
        R replicates, each with its status. Of a folder, those of the parts that are there, whose coefs are read from
        their files whenever they are asked for.

    Raises
    ------
    UsageError
        For a fit that is no minimum, a scheme that draws from residuals where the fit leaves none, a number of
        replicates that the scheme does not have, or invalid arguments.
    RunsError
        For a table with too few groups for a scheme that draws them.
    MissingDependencyError
        For a device that is not there.
    StoreError
        For a folder that holds something else, in which another process is at work, or that cannot be written.
    JaxscaleError
        For a part that was lost three times on an executor, and for a worker with other versions.

    Notes
    -----
    Each replicate starts from the minimum, among those of the first 256 replicates, at which its own objective is
    lowest; one that fails is started again from other minima, from a point beside the fit, and for longer, before it is
    marked. Where a rho function with a threshold gives resampled tables several minima, every replicate is also started
    from a second one.

    Examples
    --------
    >>> more = js.bootstrap(fit, replicates=64, seed=0)
    >>> np.array_equal(more.coefs["alpha"], ensemble.coefs["alpha"])
    True
    >>> print(more.interval("alpha"))
    0.118... … 0.122... … 0.126...  (95 % percentile, ... of 64 replicates)

    A study in a folder, begun without a part, and then gone on with:

    >>> begun = js.bootstrap(fit, replicates=64, folder="large", part=16, max_seconds=0)
    >>> whole = js.bootstrap(fit, folder="large")
    >>> len(begun), len(whole), np.array_equal(whole.value, ensemble.value)
    (0, 64, True)
    """
    check_kind("bootstrap", fit, Fit)
    rule, limits = SCHEMES.resolve(scheme), checked_limits(max_seconds, is_stopping)
    mine = checked_share(share)
    if folder is None and share is not None:
        raise UsageError(NEEDS_FOLDER.format(share=share))
    in_parts = folder is not None or executor is not None or part is not None or is_stopping is not None
    if not in_parts and max_seconds is None:
        return resample(
            fit,
            scheme=rule,
            replicates=replicates,
            seed=seed,
            chunk=chunk,
            covariance=covariance,
            jackknife=jackknife,
            nested=nested,
            profile=profile,
            device=device,
            on_stage=on_stage,
            on_done=on_done,
        )
    check_listed(rule)
    check_beside(rule, jackknife=jackknife, nested=nested)
    target = None if folder is None else absolute_path(folder)
    known = None if target is None or not is_large(target) else read_manifest(target)
    size = checked_part(part, usual_part(len(fit.law.names), covariance=covariance) if known is None else known.size)
    count = known.asked if known is not None and replicates is None else count_of(fit.runs, rule, replicates)
    asked = Resampling(rule, int(seed), chunk, covariance, jackknife, nested, profile, size, device)
    crew = None if executor is None else Crew.of(executor)
    solver = Solver(fit, asked, crew, Told(Stages(on_stage, on_done)))
    if target is None:
        return _in_memory(solver, count, limits)
    study = Study(fit)
    return work_in(target, study, solver, count, limits, digest=digest_of_study(study), options={}, share=mine)


def _in_memory(solver: Solver, count: int, limits: Limits) -> Ensemble:
    """Return the ensemble of parts that are kept in memory."""
    ranges = [range(start, min(start + solver.asked.part, count)) for start in range(0, count, solver.asked.part)]
    data = solver.survey()
    solved = sorted(solver.each(data, ranges, limits), key=lambda one: one.rows.start)
    assert solver.surveyed is not None  # just made
    made = gathered(solver.fit, solver.surveyed, [(one.rows, one.answer) for one in solved])
    spent = replace(made.provenance, compile_seconds=solver.clock.compile, run_seconds=solver.clock.run)
    return replace(made, findings=(*made.findings, *solver.notes), provenance=spent)
