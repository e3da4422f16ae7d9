"""Save a study, and load it again, bit for bit, from a folder that may be damaged, foreign or newer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from jaxscale.counting import Convention
from jaxscale.errors import UsageError
from jaxscale.intervals import Interval
from jaxscale.laws import Law
from jaxscale.laws.grouped import core_of, grouping_of
from jaxscale.objectives import Objective
from jaxscale.resampling import Scheme
from jaxscale.results import Counts, Ensemble, Fit, Frontier, Study
from jaxscale.results.digests import digest_of_study
from jaxscale.results.kinds import path_of
from jaxscale.store.archive import Archive
from jaxscale.store.codec import Reader, Writer
from jaxscale.store.folder import (
    RESULT,
    absolute_path,
    arrays_in,
    check_writable,
    is_own,
    place_of,
    record_in,
    write_folder,
)
from jaxscale.store.large import with_parts
from jaxscale.store.manifest import forget_parts, is_large
from jaxscale.store.promises import (
    A_SHARE,
    FINITE,
    POSITIVE,
    verify_ensemble,
    verify_fit,
    verify_frontier,
    verify_function,
    verify_names,
)
from jaxscale.store.specs import Known, own_specs
from jaxscale.studying import part_of
from jaxscale.text import Json

OTHER_GROUPS = "the frontiers are those of the groups {found}, which are not the groups of the fit of '{name}'"
ONE_GROUP = "this is one group's part of a fit over several: save the whole, and take the part again after loading"
HAS_GAPS = "parts of this large study are not there yet: keep its folder, or have jaxscale bootstrap make them first"
NOT_A_RESULT = "a {kind} cannot be saved by itself; save a Study, a Fit or an Ensemble"

ASKED: Mapping[str, object] = {
    "level": float,
    "interval": Interval,
    "budgets": tuple[float, ...],
    "at": Mapping[str, float],
    "line": str,
}
"""Fields of a study that say what was asked, and their types."""


def save(
    folder: str | Path, result: Study | Fit | Ensemble, *, own_digest: str | None = None, force: bool = False
) -> Path:
    """Write a study, or a fit or an ensemble alone, into a folder.

    Laws, objectives and schemes are saved by name, the table with its numbers and texts, its source without folders
    where that is an absolute path.

    Parameters
    ----------
    folder
        New or empty, or holding a result of the same computation, or any with force; then only result.json and
        arrays.npz in it are replaced, and the parts of a large study, which needs force, are removed.
    result
        A Study, a Fit or an Ensemble.
    own_digest
        The name of the computation, see `digest_of`; None for one made of the table, what was fitted to it with what
        result, and how it was resampled.
    force
        Whether any result in the folder may be replaced.

    Returns
    -------
    Path
        The folder's absolute path.

    Raises
    ------
    StoreError
        For a folder that cannot or may not be written.
    UsageError
        For what is no result.

    Examples
    --------
    >>> folder = js.save("study", fit)
    >>> sorted(path.name for path in folder.iterdir())
    ['arrays.npz', 'result.json']
    """
    study = _study_of(result)
    digest, target = own_digest or digest_of_study(study), absolute_path(folder)
    check_writable(target, is_own=lambda found: is_own(found, digest) and not is_large(found), force=force)
    forget_parts(target)
    arrays: dict[str, np.ndarray] = {}
    write_folder(target, written_study(study, Writer(arrays)), arrays, digest)
    return target


def load(
    folder: str | Path,
    *,
    laws: Iterable[Law] = (),
    objectives: Iterable[Objective] = (),
    schemes: Iterable[Scheme] = (),
    intervals: Iterable[Interval] = (),
    conventions: Iterable[Convention] = (),
) -> Study:
    """Return the study that was saved in a folder, every number bit for bit.

    A law from an expression comes back by its text.

    Parameters
    ----------
    folder
        Where `save` wrote it.
    laws, objectives, schemes, intervals, conventions
        The user's own, for what does not ship with jaxscale; an entry goes before one that ships under the same name.

    Returns
    -------
    Study
        With a fit or an ensemble alone where that was saved. Of a large study, the ensemble of the parts that are
        there, whose coefs are read from their files whenever they are asked for.

    Raises
    ------
    StoreError
        For a folder that holds no whole result, a file that is damaged or was edited, another schema, or a law that is
        unknown or differs from the one that was fitted.

    Examples
    --------
    >>> folder = js.save("study", ensemble)
    >>> js.load(folder).fit.coefs == fit.coefs
    True
    """
    own = own_specs(laws=laws, objectives=objectives, schemes=schemes, intervals=intervals, conventions=conventions)
    return loaded_study(path_of(folder), own)


def loaded_study(place: Path, own: Mapping[type, tuple]) -> Study:
    """Return the study of a folder, as `load` does.   own: the user's specifications, by kind."""
    study = saved_study(place, own)
    return with_parts(place, study, own) if is_large(place) else study


def saved_study(place: Path, own: Mapping[type, tuple]) -> Study:
    """Return the study of result.json and arrays.npz: of a large one, its point result alone.

    own: the user's specifications, by kind.   Raises StoreError.
    """
    record, document = record_in(place), place_of(place, RESULT)
    known = Known(own, document)
    expected: Described = Reader(known, Archive({}, ""), document).field(record, "arrays", Described)
    archive = arrays_in(place, expected.bytes, expected.sha256)
    return study_of_record(record, Reader(known, archive, document), own)


def study_of_record(record: Mapping[str, object], reader: Reader, own: Mapping[type, tuple]) -> Study:
    """Return the study of a record, every number verified; raise StoreError.   own: as of `saved_study`."""
    study = _read(record, reader)
    for fit in (study.fit, *(() if study.comparison is None else (one.fit for one in study.comparison.counts))):
        verify_function(reader, fit, own.get(Law, ()))
    return study


def _study_of(result: Study | Fit | Ensemble) -> Study:
    """Return a result as a study; raise UsageError for anything else, and for one group's part."""
    match result:
        case Study():
            study = result
        case Fit():
            study = Study(result)
        case Ensemble():
            study = Study(result.fit, result)
        case _:
            raise UsageError(NOT_A_RESULT.format(kind=type(result).__name__))
    grouping = grouping_of(study.fit.law)
    if study.groups and (grouping is None or tuple(study.groups) != grouping.groups):
        raise UsageError(OTHER_GROUPS.format(found=", ".join(study.groups), name=study.fit.law.name))
    if study.ensemble is not None and study.ensemble.replicate is not None:
        raise UsageError(HAS_GAPS)
    if study.fit.common or (study.ensemble is not None and study.ensemble.whole is not None):
        raise UsageError(ONE_GROUP)
    return study


def written_study(study: Study, writer: Writer, path: str = "") -> dict[str, Json]:
    """Return the record of a study; of its groups only the frontiers, since the rest follows from the whole."""
    parts: dict[str, object] = {
        "fit": Fit,
        "ensemble": Ensemble | None,
        "frontier": Frontier | None,
        "comparison": Counts | None,
        **ASKED,
    }
    record = {name: writer.write(getattr(study, name), hint, f"{path}{name}") for name, hint in parts.items()}
    fronts = enumerate(part.frontier for part in study.groups.values())
    written = [writer.write(one, Frontier | None, f"{path}groups[{at}]") for at, one in fronts]
    record["groups"] = dict(zip(study.groups, written, strict=True))
    record["reduced"] = None if study.reduced is None else written_study(study.reduced, writer, f"{path}reduced.")
    return record


def _read(record: Mapping[str, object], reader: Reader, path: str = "") -> Study:
    """Return the study of a record; raise StoreError where its parts do not belong together."""
    fit: Fit = reader.field(record, "fit", Fit, path, common=())
    verify_fit(reader, fit, f"{path}fit")
    given: dict[str, object] = {"law": fit.law, "fit": fit, "whole": None, "replicate": None, "common": ()}
    ensemble: Ensemble | None = reader.field(record, "ensemble", Ensemble | None, path, **given)
    if ensemble is not None:
        verify_ensemble(reader, ensemble, f"{path}ensemble")
    replicates = None if ensemble is None else len(ensemble)
    frontier: Frontier | None = reader.field(record, "frontier", Frontier | None, path, **given)
    if frontier is not None:
        verify_frontier(reader, frontier, replicates, f"{path}frontier")
    asked: dict[str, Any] = {name: reader.field(record, name, hint, path) for name, hint in ASKED.items()}
    study = Study(fit, ensemble, frontier, **asked)
    for name, promise in {"level": A_SHARE, "budgets": POSITIVE, "at": FINITE}.items():
        reader.keep(asked[name], promise, f"{path}{name}")
    saved = reader.field(record, "groups", Mapping[str, object], path)
    grouping = grouping_of(fit.law)
    if saved and (grouping is None or tuple(saved) != grouping.groups):
        raise reader.wrong(f"{path}groups", list(saved), "an object of the fit's groups")
    groups = {}
    for at, (group, one) in enumerate(saved.items()):
        own = reader.read(one, Frontier | None, f"{path}groups[{at}]", law=core_of(fit.law))
        if own is not None:
            verify_frontier(reader, own, replicates, f"{path}groups[{at}]")
        groups[group] = replace(part_of(study, group), frontier=own)
    left = reader.field(record, "reduced", Mapping[str, object] | None, path)
    reduced = None if left is None else _read(left, reader, f"{path}reduced.")
    return replace(study, groups=groups, reduced=reduced, comparison=_compared(record, reader, path, fit.law))


def _compared(record: Mapping[str, object], reader: Reader, path: str, law: Law) -> Counts | None:
    """Return the fits under other conventions of counting, all of the study's law."""
    found: Counts | None = reader.field(record, "comparison", Counts | None, path, law=law, common=())
    for at, one in enumerate(() if found is None else found.counts):
        place = f"{path}comparison.counts[{at}]"
        verify_fit(reader, one.fit, f"{place}.fit")
        if one.fit.law != law:
            raise reader.wrong(f"{place}.fit.law", one.fit.law.name, f"the study's law, {law.name}")
        verify_names(reader, f"{place}.changed", one.changed, law.inputs, "the law's inputs")
        if one.frontier is not None:
            verify_frontier(reader, one.frontier, None, f"{place}.frontier")
            if one.frontier.is_ensemble:
                raise reader.wrong(f"{place}.frontier.at_point", "an ensemble's", "null")
    if found is not None and not found.counts:
        raise reader.wrong(f"{path}comparison.counts", [], "a list of at least one")
    return found


@dataclass(frozen=True)
class Described:
    """The entry of arrays.npz in result.json."""

    bytes: int
    sha256: str
