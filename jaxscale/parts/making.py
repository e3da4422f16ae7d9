"""A folder at work: the study is begun or gone on with, and every part that is missing is solved and committed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from jaxscale import stopping
from jaxscale.digits import data_size
from jaxscale.errors import StoreError
from jaxscale.finding import Finding
from jaxscale.parts.executors import Solved
from jaxscale.parts.limits import Limits, share_folder
from jaxscale.parts.solving import versions
from jaxscale.parts.surveying import Solver
from jaxscale.results import Ensemble, Study
from jaxscale.store.beginning import add_to_log, begin, check_free, clean
from jaxscale.store.commits import commit, locked
from jaxscale.store.folder import told_reasons
from jaxscale.store.large import ensemble_in
from jaxscale.store.manifest import (
    PARTS,
    SURVEY_FILE,
    KeptPart,
    Manifest,
    check_same,
    forget_parts,
    is_large,
    is_same_study,
    read_manifest,
    study_facts,
    write_manifest,
)
from jaxscale.store.parts import Columns, fault_of, joined_records, kept_part, part_bytes
from jaxscale.store.surveys import read_survey
from jaxscale.text import Json, shown_name

NOT_KEPT = (
    "{place}: {what} could not be written ({reason}); the part has {size}, and its frontier some times as much.\n"
    "{count:,} replicates are kept there: make room, and give the same command again."
)
NOT_BEGUN = "{place}: holds no large study to take a share of; begin it first, as by jaxscale fit … --max-seconds 0"
REMADE = "{place}: {reason}; it was made again"


def work_in(
    folder: Path,
    study: Study,
    solver: Solver,
    replicates: int,
    limits: Limits,
    *,
    digest: str,
    options: Mapping[str, Json],
    share: tuple[int, int] = (1, 1),
    force: bool = False,
) -> Ensemble:
    """Return the ensemble of the parts of a folder, after those missing were made, or as many as the limits allow.

    study: the point result that is written where the study is begun.   digest, options: of the computation.   share:
    (k, n) for the k-th of n shares of the parts, in a folder of its own within the study's, which must have been begun.
    force: whether something else in the folder may be replaced.   Raises StoreError for another study than the one that
    is there, for a folder that another process works in, and for what cannot be written.
    """
    place = shown_name(str(folder))
    facts = study_facts(solver.fit, solver.asked.facts, versions())
    if share != (1, 1):
        if not is_large(folder):
            raise StoreError(NOT_BEGUN.format(place=place))
        whole = read_manifest(folder)
        check_same(place, whole.study, facts)
        data, solver.surveyed = read_survey(folder, solver.fit, str(whole.study["survey"]), solver.own)
        target = share_folder(folder, share)
        with told_reasons(target):
            (target / PARTS).mkdir(parents=True, exist_ok=True)
        with locked(target):
            if not is_large(target):
                with told_reasons(target):
                    write_manifest(target, replace(whole, parts=()))
            manifest = read_manifest(target)
            check_same(shown_name(str(target)), manifest.study, whole.study)
            return _made(target, manifest, solver, data, replicates, limits, share, beside=whole)
    check_free(folder, digest, force=force)
    if force and not is_same_study(folder, digest):
        forget_parts(folder)
    with told_reasons(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        if not is_large(folder):
            check_free(folder, digest, force=force)
            data = solver.survey()
            facts["survey"] = hashlib.sha256(data).hexdigest()
            with told_reasons(folder):
                begin(folder, study, data, Manifest(digest, facts, options, replicates))
            add_to_log(folder, event="begun", seconds=round(solver.clock.compile + solver.clock.run, 3))
        manifest = read_manifest(folder)
        check_same(place, manifest.study, facts)
        data = _survey_of(folder, manifest, solver)
        return _made(folder, manifest, solver, data, replicates, limits, share)


def _survey_of(folder: Path, manifest: Manifest, solver: Solver) -> bytes:
    """Return the bytes of the study's survey, which is made again where its file is damaged or missing."""
    if solver.surveyed is not None:
        return (folder / SURVEY_FILE).read_bytes()
    expected = str(manifest.study["survey"])
    try:
        data, solver.surveyed = read_survey(folder, solver.fit, expected, solver.own)
    except StoreError as error:
        data = solver.survey()
        if hashlib.sha256(data).hexdigest() != expected:
            raise
        with told_reasons(folder):
            commit(folder / SURVEY_FILE, data)
        place, reason = shown_name(str(folder / SURVEY_FILE)), str(error).splitlines()[0]
        solver.notes.append(Finding("part-remade", REMADE.format(place=place, reason=reason)))
    return data


def _made(
    folder: Path,
    manifest: Manifest,
    solver: Solver,
    data: bytes,
    replicates: int,
    limits: Limits,
    share: tuple[int, int],
    beside: Manifest | None = None,
) -> Ensemble:
    """Return the ensemble of a folder that is locked, after the work.   beside: the whole study of a share."""
    sound = [part for part in manifest.parts if not _is_faulty(folder, part, solver.notes)]
    now = replace(manifest, parts=tuple(sound), asked=max(manifest.asked, replicates))
    if now != manifest:
        with told_reasons(folder):
            write_manifest(folder, now)
    there = {} if beside is None else {part.start: part.stop for part in beside.parts}
    ranges = [rows for rows in now.missing() if (rows.start // now.size) % share[1] == share[0] - 1]
    ranges = [rows for rows in ranges if there.get(rows.start, rows.start) < rows.stop]
    with stopping.finishing():
        for one in solver.each(data, ranges, limits):
            began = time.perf_counter()
            now = _kept(folder, now, solver, one)
            answer = one.answer
            add_to_log(
                folder,
                event="part",
                start=one.rows.start,
                stop=one.rows.stop,
                tries=one.tries,
                worker=answer.worker,
                backend=answer.backend,
                seconds=round(answer.seconds, 3),
                commit_seconds=round(time.perf_counter() - began, 4),
            )
    with told_reasons(folder):
        clean(folder, now)
    stopping.stop_if_asked()
    assert solver.surveyed is not None  # both ways above have read or made it
    made = ensemble_in(folder, now, solver.fit, solver.surveyed)
    spent = replace(made.provenance, compile_seconds=solver.clock.compile, run_seconds=solver.clock.run)
    return replace(made, findings=(*made.findings, *solver.notes), provenance=spent)


def _is_faulty(folder: Path, part: KeptPart, notes: list[Finding]) -> bool:
    """Return whether the file of a part is not what was committed, and note it."""
    reason = fault_of(folder, part)
    if reason is not None:
        place = shown_name(str(folder / PARTS / part.name))
        notes.append(Finding("part-remade", REMADE.format(place=place, reason=reason)))
    return reason is not None


def _kept(folder: Path, manifest: Manifest, solver: Solver, one: Solved) -> Manifest:
    """Return the manifest with one part more, once both are on the disk."""
    record, start, backend = one.answer.record, one.rows.start, one.answer.backend
    assert record is not None  # refused before
    before = next((part for part in manifest.parts if part.start == start // manifest.size * manifest.size), None)
    if start % manifest.size and before is not None:  # more replicates of a part that was the last
        columns = Columns(folder, (before,), len(solver.fit.law.names), solver.asked.covariance)
        record, start = joined_records(columns.record(before), record), before.start
        backend = ", ".join(sorted({before.backend, backend}))
    data = part_bytes(record)
    part = kept_part(data, start, one.rows.stop, backend)
    now = manifest.with_part(part)
    with _room(folder, "part", part, manifest.there):
        commit(folder / PARTS / part.name, data)
        write_manifest(folder, now)
        if before is not None and before.name != part.name:
            (folder / PARTS / before.name).unlink(missing_ok=True)
    with _room(folder, "frontier", part, now.there):
        solver.told.on_part(folder, part)
    return now


@contextmanager
def _room(folder: Path, kind: str, part: KeptPart, kept: int) -> Iterator[None]:
    """Turn an error of the file system into a StoreError that says how many replicates are kept."""
    try:
        yield
    except OSError as error:
        what = f"the {kind} of replicates {part.start:,} … {part.stop - 1:,}"
        reason = error.strerror or type(error).__name__
        words = {"what": what, "reason": reason, "size": data_size(part.bytes), "count": kept}
        raise StoreError(NOT_KEPT.format(place=shown_name(str(folder)), **words)) from error
