"""A large study begun: its point result and its survey are written once, before any part, and its manifest last."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from jaxscale.errors import StoreError
from jaxscale.results import Study
from jaxscale.store.archive import write_archive
from jaxscale.store.codec import Writer
from jaxscale.store.commits import DRAFT, LOCK, commit
from jaxscale.store.folder import ARRAYS, EXISTS, IS_LINK, RESULT, document_bytes, is_own
from jaxscale.store.manifest import (
    FRONTIERS,
    LOG,
    MADE_OF_PARTS,
    PARTS,
    SURVEY_FILE,
    Manifest,
    is_large,
    write_manifest,
)
from jaxscale.store.saving import written_study
from jaxscale.store.surveys import timeless
from jaxscale.text import Json, shown_name

OURS = (RESULT, ARRAYS, LOCK, *MADE_OF_PARTS)


def check_free(folder: Path, digest: str, *, force: bool = False) -> None:
    """Raise StoreError unless a large study may begin in a folder: new, empty, given up by force, or begun before.

    digest: of the study, by which what a kill left of its beginning is known.
    """
    place = shown_name(str(folder))
    if folder.is_symlink():
        raise StoreError(IS_LINK.format(place=place))
    if force or not folder.exists() or is_large(folder):
        return
    others = [one.name for one in folder.iterdir() if one.name not in OURS and not one.name.endswith(DRAFT)]
    is_begun = not (folder / RESULT).exists() or is_own(folder, digest)
    if others or not is_begun:
        raise StoreError(EXISTS.format(place=place))


def begin(folder: Path, study: Study, survey: bytes, manifest: Manifest) -> None:
    """Write the point result, the survey and a manifest without parts, into a folder that exists and is locked.

    No seconds are written, so that the bytes are the same whenever the study is begun again.   Raises OSError.
    """
    arrays: dict[str, np.ndarray] = {}
    plain = replace(study, fit=replace(study.fit, provenance=timeless(study.fit.provenance)), ensemble=None, groups={})
    record = written_study(replace(plain, reduced=None, comparison=None), Writer(arrays))
    buffer = io.BytesIO()
    write_archive(buffer, arrays)
    data = buffer.getvalue()
    told: dict[str, Json] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    commit(folder / ARRAYS, data)
    commit(folder / RESULT, document_bytes(record, told, manifest.digest))
    commit(folder / SURVEY_FILE, survey)
    (folder / PARTS).mkdir(exist_ok=True)
    write_manifest(folder, manifest)


def clean(folder: Path, manifest: Manifest) -> None:
    """Remove the drafts that a kill left, and the files of parts that the manifest does not name.   Raises OSError."""
    named = {part.name for part in manifest.parts}
    within = [folder / PARTS, *(folder / FRONTIERS).glob("*")]
    for path in (*folder.iterdir(), *(one for inner in within for one in inner.iterdir())):
        is_draft = path.name.startswith(".") and path.name.endswith(DRAFT)
        is_left = path.parent in within and path.suffix == ".npy" and path.name not in named
        if path.is_file() and (is_draft or is_left):
            path.unlink()


def add_to_log(folder: Path, **words: Json) -> None:
    """Add a line to the log, which holds what differs from run to run: times, seconds, attempts and workers.

    A log that cannot be written, as on a full disk, stops nothing.
    """
    line = json.dumps({"time": datetime.now().astimezone().isoformat(timespec="seconds"), **words}, ensure_ascii=True)
    try:
        with open(folder / LOG, "a", encoding="ascii") as handle:
            handle.write(line + "\n")
    except OSError:
        return
