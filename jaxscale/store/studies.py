"""Studies of several tables on the disk: each in a folder of its own, and a list of all beside them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from jaxscale.results import Ensemble, Studies, Study
from jaxscale.store.codec import Writer
from jaxscale.store.commits import DRAFT
from jaxscale.store.folder import DRAFTS, told_reasons
from jaxscale.store.listing import Listed, folder_names, read_list, write_list
from jaxscale.store.packing import packed_record, unpacked
from jaxscale.store.saving import loaded_study, save, study_of_record, written_study
from jaxscale.store.sealed import free_place
from jaxscale.store.surveys import timeless


def save_studies(folder: str | Path, found: Studies, *, force: bool = False) -> Path:
    """Write every study into a folder of its own name, as `js.save` writes it, and a list of all beside them.

    Parameters
    ----------
    folder
        New or empty, or any with force.
    found
        Of `js.studies`, which writes them itself, one by one as they are made, where it is given a folder.
    force
        Whether studies that are there may be replaced.

    Returns
    -------
    Path
        The folder's absolute path.

    Raises
    ------
    StoreError
        For a folder that is not empty, or that cannot be written.

    Examples
    --------
    >>> found = js.studies([runs], ["pure-power-params"], replicates=64)
    >>> folder = js.store.save_studies("all", found)
    >>> sorted(path.name for path in folder.iterdir())
    ['studies.json', 'table-pure-power-params-huber']
    >>> js.load(folder / "table-pure-power-params-huber").fit.coefs == fit.coefs
    True
    """
    target = free_place(folder, force=force)
    with told_reasons(target):
        target.mkdir(parents=True, exist_ok=True)
    names = folder_names(found)
    for key, study in found.found.items():
        save(target / names[key], study, force=force)
    write_list(target, Listed(found, frozenset(found.found), None))
    return target


def load_studies(folder: str | Path) -> Studies:
    """Return the studies that are in a folder, every number bit for bit.

    Parameters
    ----------
    folder
        Where `js.studies` or `save_studies` wrote them.

    Returns
    -------
    Studies
        As they were made; of a call that was interrupted, those that it had made.

    Raises
    ------
    StoreError
        For a folder that holds none, or whose files were edited.

    Examples
    --------
    >>> found = js.studies([runs], ["pure-power-params"], replicates=64)
    >>> again = js.store.load_studies(js.store.save_studies("both", found))
    >>> again.counts == found.counts
    True
    """
    target = Path(folder)
    listed = read_list(target)
    names = folder_names(listed.whole)
    found = {key: loaded_study(target / names[key], {}) for key in listed.whole if key in listed.there}
    return replace(listed.whole, found=found)


def keep_study(folder: Path, study: Study) -> None:
    """Write a study into its folder, without seconds, so that its bytes are the same whenever it is made again."""
    save(folder, without_seconds(study), force=True)


def study_bytes(study: Study) -> bytes:
    """Return a study as bytes, for another process, without seconds."""
    arrays: dict[str, np.ndarray] = {}
    record = written_study(without_seconds(study), Writer(arrays))
    return packed_record(record, arrays)


def study_of_bytes(data: bytes, own: Mapping[type, tuple]) -> Study:
    """Return the study of bytes; raise StoreError for a law that is not known.   own: the user's, by kind."""
    reader, record = unpacked(data, own, "the study that a worker made")
    return study_of_record(record, reader, own)


def without_seconds(study: Study) -> Study:
    """Return a study as it would be, had it taken no time."""
    fit = replace(study.fit, provenance=timeless(study.fit.provenance))

    def plain(one: Ensemble | None) -> Ensemble | None:
        if one is None:
            return None
        return replace(one, fit=fit, provenance=timeless(one.provenance), jackknife=plain(one.jackknife))

    reduced = None if study.reduced is None else without_seconds(study.reduced)
    return replace(study, fit=fit, ensemble=plain(study.ensemble), reduced=reduced)


def tidy(folder: Path) -> None:
    """Remove the drafts that a kill left in a folder that is locked; raise StoreError."""
    with told_reasons(folder):
        for one in folder.glob(f".*{DRAFT}"):
            one.unlink()
        for one in folder.glob(DRAFTS):
            shutil.rmtree(one)
