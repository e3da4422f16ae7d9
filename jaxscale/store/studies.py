"""Studies of several tables on the disk: each in a folder of its own, and what there is, with reasons, beside them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from jaxscale.errors import StoreError
from jaxscale.results import Studies, StudyKey
from jaxscale.store.folder import told_reasons
from jaxscale.store.saving import load, save
from jaxscale.store.sealed import free_place, sealed_text, unsealed
from jaxscale.text import Json, shown_name

KIND, VERSION = "jaxscale-studies", 1
LIST = "studies.json"
OTHER = re.compile(r"[^A-Za-z0-9._+-]+")
"""What a folder's name has a dash for."""

NO_STUDIES = "{place}: is no list of studies of jaxscale, as jaxscale studies … --out FOLDER writes it"


def save_studies(folder: str | Path, found: Studies, *, force: bool = False) -> Path:
    """Write every study into a folder of its own name, as `js.save` writes it, and a list of all beside them.

    Parameters
    ----------
    folder
        New or empty, or any with force.
    found
        Of `js.studies`.
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
    fields: dict[str, Json] = {
        "tables": list(found.tables),
        "laws": list(found.laws),
        "objectives": list(found.objectives),
        "replicates": found.replicates,
        "seed": found.seed,
        "folders": [names.get(key) for key in found],
        "reasons": [found.failed.get(key) for key in found],
    }
    with told_reasons(target):
        (target / LIST).write_text(sealed_text(KIND, VERSION, fields), encoding="ascii")
    return target


def load_studies(folder: str | Path) -> Studies:
    """Return the studies that were saved in a folder, every number bit for bit.

    Parameters
    ----------
    folder
        Where `save_studies` wrote them.

    Returns
    -------
    Studies
        As they were made.

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
    target = Path(folder) / LIST
    place = shown_name(str(target))
    otherwise = NO_STUDIES.format(place=place)
    try:
        record = unsealed(target.read_bytes(), place, KIND, VERSION, otherwise=otherwise)
    except OSError as error:
        raise StoreError(otherwise) from error
    tables, laws, objectives, folders, reasons = (
        _texts(record, name, place) for name in ("tables", "laws", "objectives", "folders", "reasons")
    )
    replicates, seed = record.get("replicates"), record.get("seed")
    if not isinstance(replicates, int) or not isinstance(seed, int):
        raise StoreError(otherwise)
    whole = Studies(tables, laws, objectives, {}, {}, replicates, seed)
    keys = list(whole)
    if len(keys) != len(folders) or len(keys) != len(reasons):
        raise StoreError(otherwise)
    names = {key: name for key, name in zip(keys, folders, strict=True) if name}
    if any(OTHER.search(name) or name.startswith(".") for name in names.values()):
        raise StoreError(otherwise)
    failed = {key: why for key, why in zip(keys, reasons, strict=True) if key not in names}
    return replace(whole, found={key: load(Path(folder) / name) for key, name in names.items()}, failed=failed)


def folder_names(found: Studies) -> dict[StudyKey, str]:
    """Return the folder's name of every study that is there: its own in letters that a name may have, each once."""
    names: dict[StudyKey, str] = {}
    taken = {LIST}
    for key in found.found:
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
