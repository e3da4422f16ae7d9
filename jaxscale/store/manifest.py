"""manifest.json of a large study: what it is a study of, how many replicates were asked for, and which are there."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from jaxscale.errors import StoreError
from jaxscale.laws import Law
from jaxscale.objectives import Objective
from jaxscale.results import Fit
from jaxscale.results.digests import table_sha256
from jaxscale.runs import Runs
from jaxscale.store.codec import Writer
from jaxscale.store.commits import commit, locked
from jaxscale.store.folder import LARGEST, bytes_of_file, parsed_document, place_of, sha256_of, told_reasons
from jaxscale.text import Json, escaped, shown

MANIFEST = "manifest.json"
KIND, VERSION = "jaxscale-parts", 2
PARTS, SHARES, FRONTIERS = "parts", "shares", "frontiers"
"""Folders within a study's: its parts, shares that processes make each by itself, and frontiers of its parts."""
SURVEY_FILE, LOG = "survey.npz", "log.jsonl"
MADE_OF_PARTS = (SURVEY_FILE, LOG, PARTS, SHARES, FRONTIERS)
"""What a large study has beside its point result and its manifest."""

NO_MANIFEST = "{place}: is not the manifest of a large study as jaxscale writes it ({reason})"
OTHER_VERSION = (
    "{place}: has schema version {found}, and this jaxscale reads version {known}.\n"
    "Go on with the jaxscale that began the study, or begin another in a new folder."
)
OTHER_STUDY = (
    "{place}: is a study with another {what}: {saved} there, {found} here.\n"
    "Go on with what it was begun with, or choose another folder."
)
WORDS = {
    "table": "table",
    "law": "law",
    "objective": "objective",
    "solver": "solver",
    "fixed": "choice of fixed coefs",
    "coefs": "point fit",
    "scheme": "scheme",
    "seed": "seed",
    "chunk": "chunk",
    "covariance": "choice of covariances",
    "jackknife": "choice of a jackknife",
    "nested": "choice of simulated tables",
    "profile": "choice of profiles",
    "part": "number of replicates in a part",
    "jaxscale": "version of jaxscale",
    "jax": "version of jax",
    "survey": "survey",
}
"""The fields of a study's facts, in the order in which they are compared, and their words."""


@dataclass(frozen=True)
class KeptPart:
    """One committed part: replicates start … stop - 1, its file's bytes and SHA-256, and the platform it came from."""

    start: int
    stop: int
    bytes: int
    sha256: str
    backend: str

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.start:012d}-{self.stop:012d}.npy"


@dataclass(frozen=True)
class Manifest:
    """What a folder of parts is.

    digest: the name of the computation, as in result.json.   study: facts that all parts share, of WORDS.   options:
    what was typed, for a study of the command line.   asked: replicates, of the study.   parts: in their order.
    """

    digest: str
    study: Mapping[str, Json]
    options: Mapping[str, Json]
    asked: int
    parts: tuple[KeptPart, ...] = ()

    @property
    def size(self) -> int:
        """Replicates in a part, but for the last."""
        return int(self.study["part"])  # type: ignore[arg-type]

    @property
    def coefs(self) -> tuple[str, ...]:
        """The names of the law's coefs."""
        return tuple(self.study["coefs"])  # type: ignore[arg-type]

    @property
    def there(self) -> int:
        """Replicates that are there."""
        return sum(part.stop - part.start for part in self.parts)

    def with_part(self, new: KeptPart) -> Manifest:
        """Return the manifest with a part more, in place of one with the same beginning."""
        others = [one for one in self.parts if one.start != new.start]
        return replace(self, parts=tuple(sorted([*others, new], key=lambda one: one.start)))

    def missing(self) -> list[range]:
        """Return the ranges of replicates that are not there, one per part, in their order."""
        there = {part.start: part.stop for part in self.parts}
        found = []
        for start in range(0, self.asked, self.size):
            stop = min(start + self.size, self.asked)
            if there.get(start, start) < stop:
                found.append(range(there.get(start, start), stop))
        return found


def study_facts(fit: Fit, asked: Mapping[str, Json], versions: Mapping[str, str]) -> dict[str, Json]:
    """Return the facts of a study but for its survey: of the fit, of how it is resampled, and of who computes.

    asked: scheme, seed, chunk, covariance, jackknife, nested, profile and part.
    """
    writer = Writer({})
    return {
        "table": table_fact(fit.runs),
        "law": writer.write(fit.law, Law, "law"),
        "objective": writer.write(fit.objective, Objective, "objective"),
        "solver": fit.solver,
        "fixed": {name: repr(fit.coefs[name]) for name in fit.fixed},
        "coefs": {name: repr(value) for name, value in fit.coefs.items()},
        **asked,
        **versions,
    }


def table_fact(runs: Runs) -> str:
    """Return what a table is known by: the SHA-256 of its numbers and its groups."""
    table = hashlib.sha256(table_sha256(runs).encode())
    for cell in () if runs.group is None else runs.group.tolist():
        table.update(ascii(cell).encode())
    return table.hexdigest()


def check_same(
    place: str, saved: Mapping[str, Json], found: Mapping[str, Json], *, words: Mapping[str, str] = WORDS,
    otherwise: str = OTHER_STUDY,
) -> None:  # fmt: skip
    """Raise StoreError that names the first fact in which two studies differ; those of which one knows nothing do not.

    place: the folder whose facts are `saved`, for the message.   words: the facts, and what they are called.
    otherwise: the message, of {place}, {what}, {saved} and {found}.
    """
    for name, what in words.items():
        if name not in saved or name not in found:
            continue
        one, other = (json.loads(json.dumps(facts[name])) for facts in (saved, found))  # tuples are lists
        if one != other:
            told = {"what": what, "saved": _told(one, other), "found": _told(other, one)}
            raise StoreError(otherwise.format(place=place, **told))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Commit the manifest; raises OSError."""
    whole: dict[str, Json] = {
        "kind": KIND,
        "schema_version": VERSION,
        "digest": manifest.digest,
        "study": dict(manifest.study),
        "options": dict(manifest.options),
        "asked": manifest.asked,
        "parts": [asdict(part) for part in manifest.parts],
    }
    text = json.dumps({**whole, "sha256": sha256_of(whole)}, indent=1, ensure_ascii=True, allow_nan=False)
    commit(folder / MANIFEST, text.encode("ascii") + b"\n")


def is_large(folder: Path) -> bool:
    """Return whether a folder holds a large study, or a share of one."""
    return (folder / MANIFEST).is_file()


def forget_parts(folder: Path) -> None:
    """Remove what makes a folder that of a large study, which the caller has given up; raises StoreError.

    The manifest goes first: without it nothing else counts.
    """
    if not is_large(folder):
        return
    with locked(folder), told_reasons(folder):
        (folder / MANIFEST).unlink()
        for name in MADE_OF_PARTS:
            path = folder / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def is_same_study(folder: Path, digest: str) -> bool:
    """Return whether a folder holds a large study with this name of its computation."""
    try:
        return is_large(folder) and read_manifest(folder).digest == digest
    except StoreError:
        return False


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a folder; raise StoreError for one that is damaged, edited, or of another version."""
    place = place_of(folder, MANIFEST)
    record = parsed_document(bytes_of_file(folder, MANIFEST, LARGEST), place)
    if record.get("kind") != KIND:
        raise StoreError(NO_MANIFEST.format(place=place, reason=f"its kind is {shown(str(record.get('kind')))}"))
    if record.get("schema_version") != VERSION:
        found = shown(str(record.get("schema_version")))
        raise StoreError(OTHER_VERSION.format(place=place, found=found, known=VERSION))
    try:
        if record.get("sha256") != sha256_of(record):
            raise StoreError(NO_MANIFEST.format(place=place, reason="its SHA-256 is not that of its fields"))
        parts: Any = record["parts"]
        found_parts = tuple(KeptPart(**{field.name: part[field.name] for field in fields(KeptPart)}) for part in parts)
        values: Any = record
        made = Manifest(values["digest"], values["study"], values["options"], int(values["asked"]), found_parts)
        if made.size < 1:
            raise ValueError(made.size)  # as of any other field
        return made
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(NO_MANIFEST.format(place=place, reason="a field is missing or is not what it was")) from error


def _told(one: Json, other: Json) -> str:
    """Return a fact as a message shows it beside another: of objects, the first entry in which they differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys((*one, *other)):
            if one.get(key) != other.get(key):
                return f"{escaped(str(key))} {_told(one.get(key), other.get(key))}"
    if isinstance(one, str) and len(one) == 64:
        return f"SHA-256 {shown(one[:12])}…"
    return "none" if one is None else escaped(str(one))[:60]


def rows_there(manifest: Manifest) -> np.ndarray | None:
    """Return which replicates are there (R,); None where these are 0 … R - 1."""
    parts = manifest.parts
    if [part.start for part in parts] == [0, *(part.stop for part in parts)][: len(parts)]:
        return None
    return np.concatenate([np.arange(part.start, part.stop) for part in parts])
