"""studies.json: which studies were asked for, by what, which are in folders beside it, and why others are not."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from jaxscale.errors import StoreError
from jaxscale.laws import Law
from jaxscale.objectives import Objective
from jaxscale.results import Studies, StudyKey
from jaxscale.store.codec import Writer
from jaxscale.store.commits import DRAFT, LOCK, commit
from jaxscale.store.folder import LARGEST as LONGEST
from jaxscale.store.folder import bytes_of_file, told_reasons
from jaxscale.store.manifest import check_same, table_fact
from jaxscale.store.sealed import free_place, sealed_text, unsealed
from jaxscale.studying.batch import StudyBatch
from jaxscale.text import Json, shown_name

KIND, VERSION = "jaxscale-studies", 1
LIST = "studies.json"
OTHER = re.compile(r"[^A-Za-z0-9._+-]+")
"""What a folder's name has a dash for."""
WORDS = {
    "tables": "table",
    "laws": "law",
    "objectives": "objective",
    "order": "order",
    "scheme": "scheme",
    "replicates": "number of replicates",
    "seed": "seed",
    "budgets": "choice of budgets",
    "at": "choice of fixed inputs",
    "level": "level",
    "interval": "interval",
    "jaxscale": "version of jaxscale",
    "jax": "version of jax",
}
"""What studies were asked for by, in the order in which it is compared, and its words."""

NO_STUDIES = "{place}: is no list of studies of jaxscale, as jaxscale studies … --out FOLDER writes it"
OTHERS = (
    "{place}: holds studies with another {what}: {saved} there, {found} here.\n"
    "Say the same to go on with them, choose another folder, or let them be replaced with --force."
)
NOT_BEGUN = (
    "{place}: holds studies that were saved when they were made; choose another folder, or replace them with --force"
)


@dataclass(frozen=True)
class Listed:
    """What studies.json says.

    whole: the studies that were asked for, with the reasons of those that are refused.   there: those in a folder of
    theirs.   asked: what they were asked for by; None for some that were saved when all had been made.
    """

    whole: Studies
    there: frozenset[StudyKey]
    asked: Mapping[str, Json] | None

    @property
    def left(self) -> list[StudyKey]:
        """Those that are neither there nor refused."""
        return [key for key in self.whole if key not in self.there and key not in self.whole.failed]

    def with_study(self, key: StudyKey) -> Listed:
        """Return the list once a study is in its folder."""
        return replace(self, there=self.there | {key})

    def with_reason(self, key: StudyKey, reason: str) -> Listed:
        """Return the list with a study that is refused."""
        return replace(self, whole=replace(self.whole, failed={**self.whole.failed, key: reason}))


def read_list(folder: Path) -> Listed:
    """Return what a folder's list says; raise StoreError for one that is not there, or was edited."""
    place = shown_name(str(folder / LIST))
    otherwise = NO_STUDIES.format(place=place)
    if not is_list(folder):
        raise StoreError(otherwise)
    record = unsealed(bytes_of_file(folder, LIST, LONGEST), place, KIND, VERSION, otherwise=otherwise)
    tables, laws, objectives, folders, reasons = (
        _texts(record, name, place) for name in ("tables", "laws", "objectives", "folders", "reasons")
    )
    replicates, seed, asked = record.get("replicates"), record.get("seed"), record.get("asked")
    if not isinstance(replicates, int) or not isinstance(seed, int) or not isinstance(asked, dict | None):
        raise StoreError(otherwise)
    whole = Studies(tables, laws, objectives, {}, {}, replicates, seed)
    keys, names = list(whole), list(folder_names(whole).values())
    if len(keys) != len(folders) or len(keys) != len(reasons):
        raise StoreError(otherwise)
    if any(found not in ("", name) for found, name in zip(folders, names, strict=True)):
        raise StoreError(otherwise)
    there = frozenset(key for key, name in zip(keys, folders, strict=True) if name)
    failed = {key: why for key, why in zip(keys, reasons, strict=True) if why}
    return Listed(replace(whole, failed=failed), there, asked)


def is_list(folder: Path) -> bool:
    """Return whether a folder has a list of studies."""
    return (folder / LIST).is_file()


def write_list(folder: Path, listed: Listed) -> None:
    """Commit the list of a folder; raise StoreError."""
    whole, names = listed.whole, folder_names(listed.whole)
    fields: dict[str, Json] = {
        "tables": list(whole.tables),
        "laws": list(whole.laws),
        "objectives": list(whole.objectives),
        "replicates": whole.replicates,
        "seed": whole.seed,
        "asked": None if listed.asked is None else dict(listed.asked),
        "folders": [names[key] if key in listed.there else None for key in whole],
        "reasons": [whole.failed.get(key) for key in whole],
    }
    with told_reasons(folder):
        commit(folder / LIST, sealed_text(KIND, VERSION, fields).encode("ascii"))


def batch_facts(batch: StudyBatch, versions: Mapping[str, str]) -> dict[str, Json]:
    """Return what studies are asked for by, of WORDS; not the device, which changes them by rounding alone."""
    writer, whole = Writer({}), batch.unmade
    return {
        "tables": {name: table_fact(runs) for name, runs in batch.tables.items()},
        "laws": {name: writer.write(law, Law, "law") for name, law in batch.laws.items()},
        "objectives": {name: writer.write(one, Objective, "objective") for name, one in batch.objectives.items()},
        "order": [*whole.tables, *whole.laws, *whole.objectives],
        "scheme": batch.scheme.name,
        "replicates": batch.replicates,
        "seed": batch.seed,
        "budgets": [repr(one) for one in batch.budgets],
        "at": {law: {name: repr(float(one)) for name, one in at.items()} for law, at in batch.at.items()},
        "level": repr(batch.level),
        "interval": batch.interval.name,
        **versions,
    }


def begun(folder: Path, whole: Studies, asked: Mapping[str, Json], *, force: bool) -> Listed:
    """Return the list of a folder that is locked: the one that is there, of the same studies, or a new one.

    force: whether others may be replaced, whose folders are then removed.   Raises StoreError.
    """
    if is_list(folder):
        try:
            listed = _same(folder, asked)
        except StoreError:
            if not force:
                raise
            _forget(folder)
        else:
            return listed
    listed = Listed(whole, frozenset(), asked)
    write_list(folder, listed)
    return listed


def check_free_for_studies(folder: Path, *, force: bool) -> None:
    """Raise StoreError for a folder that holds anything but studies, or what a kill left of their beginning."""
    if is_list(folder):
        if not force and read_list(folder).asked is None:
            raise StoreError(NOT_BEGUN.format(place=shown_name(str(folder))))
        return
    with told_reasons(folder):
        is_ours = folder.is_dir() and all(one.name == LOCK or one.name.endswith(DRAFT) for one in folder.iterdir())
    if not is_ours:
        free_place(folder, force=force)


def _same(folder: Path, asked: Mapping[str, Json]) -> Listed:
    """Return the list of a folder; raise StoreError for one of other studies."""
    listed, place = read_list(folder), shown_name(str(folder))
    if listed.asked is None:
        raise StoreError(NOT_BEGUN.format(place=place))
    check_same(place, listed.asked, asked, words=WORDS, otherwise=OTHERS)
    return listed


def _forget(folder: Path) -> None:
    """Remove the studies of a folder, those that its list names, and first the list; raise StoreError."""
    try:
        listed = read_list(folder)
    except StoreError:
        names: list[str] = []
    else:
        named = folder_names(listed.whole)
        names = [named[key] for key in listed.there]
    with told_reasons(folder):
        (folder / LIST).unlink()
        for name in names:
            if (folder / name).is_dir() and not (folder / name).is_symlink():
                shutil.rmtree(folder / name)


def folder_names(whole: Studies) -> dict[StudyKey, str]:
    """Return the name of the folder of every study, made or not: its own in letters that a name may have, each once."""
    names: dict[StudyKey, str] = {}
    taken = {LIST}
    for key in whole:
        plain = OTHER.sub("-", "-".join(key)).strip("-.") or "study"
        name, count = plain, 1
        while name.lower() in taken:
            count += 1
            name = f"{plain}-{count}"
        taken.add(name.lower())
        names[key] = name
    return names


def _texts(record: dict[str, object], name: str, place: str) -> tuple[str, ...]:
    """Return a list of texts of the record, "" for null; raise StoreError for anything else."""
    found = record.get(name)
    if not isinstance(found, list) or not all(one is None or isinstance(one, str) for one in found):
        raise StoreError(NO_STUDIES.format(place=place))
    return tuple(one or "" for one in found)
