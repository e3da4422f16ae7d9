"""Shares of a large study joined: parts of the same study, each verified, those that two have the same in both."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from jaxscale.errors import StoreError, UsageError
from jaxscale.meant import near_path
from jaxscale.parts.inventory import Inventory
from jaxscale.store.beginning import clean
from jaxscale.store.commits import commit, locked
from jaxscale.store.folder import ARRAYS, RESULT, absolute_path, told_reasons
from jaxscale.store.frontiers import take_frontiers
from jaxscale.store.manifest import (
    PARTS,
    SHARES,
    SURVEY_FILE,
    KeptPart,
    Manifest,
    check_same,
    is_large,
    read_manifest,
    write_manifest,
)
from jaxscale.store.parts import Columns, fault_of
from jaxscale.text import shown_name

NOT_LARGE = "{place}: holds no large study, nor a share of one; name a folder that jaxscale has written{meant}"
NOTHING = "{place}: there is nothing to merge: it has no shares, and no other folder is named{meant}"
NO_WHOLE = "none of the folders holds the study itself, with its fit and its survey: name the one that fit has written"
DIFFERS = (
    "{one} and {other}: both hold replicates {start} … {last}, and not the same bytes.\n"
    "They were computed on different kinds of machines, or one was damaged: leave one of the folders out."
)
LEFT_OUT = "{place}: {reason}; it was left out"


def merge(target: str | Path, folders: Sequence[str | Path] = ()) -> Inventory:
    """Join the parts of a large study that several processes or machines have made.

    Every part is verified before it is taken; one that is damaged is left out and named. A part that is there already
    must be the same. Shares in the target's own folder are taken too, and removed once they are in it; other folders
    stay as they are.

    Parameters
    ----------
    target
        The study's folder, or a new one, which then begins as a copy of the study in the first of the folders that
        holds one.
    folders
        Of the same study: copies of its folder in which shares were made, or folders of shares alone.

    Returns
    -------
    Inventory
        What is there now, what is missing, and which parts were left out.

    Raises
    ------
    StoreError
        For a folder that holds no part of a large study, or one of another study, which is named by what differs: the
        table, an option, the survey or a version; for two parts of the same replicates that differ; and where another
        process is at work.
    UsageError
        Where there is nothing to merge.

    Examples
    --------
    >>> begun = js.bootstrap(fit, replicates=64, folder="large", part=16, max_seconds=0)
    >>> shares = [js.bootstrap(fit, folder="large", share=(k, 2)) for k in (1, 2)]
    >>> js.merge("large").missing
    ()
    >>> np.array_equal(js.load("large").ensemble.value, ensemble.value)
    True
    """
    place = absolute_path(target)
    given = [absolute_path(folder) for folder in folders]
    sources = _with_shares([folder for folder in given if folder != place])
    own = _shares_in(place)
    if not sources and not own:
        raise UsageError(NOTHING.format(place=shown_name(str(place)), meant=near_path(target)))
    for source in sources:
        if not is_large(source):
            raise StoreError(NOT_LARGE.format(place=shown_name(str(source)), meant=near_path(source)))
    with told_reasons(place):
        place.mkdir(parents=True, exist_ok=True)
    with ExitStack() as locks:
        for folder in (place, *own):
            locks.enter_context(locked(folder))
        with told_reasons(place):
            if not is_large(place):
                _copy_beginning(place, sources)
            return _merged(place, [*sources, *own], own)


def _shares_in(folder: Path) -> list[Path]:
    """Return the shares within a study's folder."""
    within = folder / SHARES
    return sorted(one for one in within.iterdir() if is_large(one)) if within.is_dir() else []


def _with_shares(folders: Sequence[Path]) -> list[Path]:
    """Return the folders, each followed by the shares within it; of a folder of shares alone, these."""
    found: list[Path] = []
    for folder in folders:
        within = _shares_in(folder)
        found += within if within and not is_large(folder) else [folder, *within]
    return list(dict.fromkeys(found))


def _copy_beginning(target: Path, sources: Sequence[Path]) -> None:
    """Begin the target as the first of the sources that holds a study's fit and survey, without its parts."""
    whole = next((one for one in sources if (one / SURVEY_FILE).is_file() and (one / RESULT).is_file()), None)
    if whole is None:
        raise StoreError(NO_WHOLE)
    for name in (ARRAYS, RESULT, SURVEY_FILE):
        commit(target / name, (whole / name).read_bytes())
    (target / PARTS).mkdir(exist_ok=True)
    write_manifest(target, replace(read_manifest(whole), parts=()))


def _merged(target: Path, sources: Sequence[Path], own: Sequence[Path]) -> Inventory:
    """Return the inventory of a target that is locked, after it took the parts of the sources."""
    manifest, damaged = read_manifest(target), list[str]()
    at: dict[int, tuple[Path, KeptPart]] = {}
    for folder in (target, *sources):
        found = read_manifest(folder)
        check_same(shown_name(str(folder)), found.study, manifest.study)
        manifest = replace(manifest, asked=max(manifest.asked, found.asked))
        for part in found.parts:
            reason = fault_of(folder, part)
            if reason is not None:
                place = shown_name(str(folder / PARTS / part.name))
                damaged.append(LEFT_OUT.format(place=place, reason=reason))
            else:
                at[part.start] = _longer(manifest, at.get(part.start), (folder, part))
    for folder, part in at.values():  # nothing is written before all of them are known to agree
        if folder != target:
            commit(target / PARTS / part.name, (folder / PARTS / part.name).read_bytes())
            take_frontiers(folder, target, part)
    now = replace(manifest, parts=tuple(part for _, (_, part) in sorted(at.items())))
    write_manifest(target, now)
    clean(target, now)
    for folder in own:
        shutil.rmtree(folder)
    if own and not any((target / SHARES).iterdir()):
        (target / SHARES).rmdir()
    return Inventory.of(target, now, tuple(damaged))


def _longer(
    manifest: Manifest, one: tuple[Path, KeptPart] | None, other: tuple[Path, KeptPart]
) -> tuple[Path, KeptPart]:
    """Return the longer of two parts with one beginning; raise StoreError where they do not agree."""
    if one is None or one[1].sha256 == other[1].sha256:
        return one or other
    short, long = sorted((one, other), key=lambda place: place[1].stop)
    records = [
        Columns(folder, (part,), len(manifest.coefs), bool(manifest.study["covariance"])).record(part)[0]
        for folder, part in (short, long)
    ]
    count = short[1].stop - short[1].start
    for name in records[0].dtype.names or ():
        ends = (slice(None), slice(count)) if name in ("coefs", "is_open") else (slice(count),)
        if np.asarray(records[0][name]).tobytes() != np.ascontiguousarray(records[1][name][ends]).tobytes():
            places = [shown_name(str(folder)) for folder, _ in (one, other)]
            words = {"one": places[0], "other": places[1], "start": short[1].start, "last": short[1].stop - 1}
            raise StoreError(DIFFERS.format(**words))
    return long
