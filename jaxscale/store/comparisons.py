"""A comparison of laws on the disk: the study of each law in a folder of its own, and their weights beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxscale.errors import StoreError, UsageError
from jaxscale.intervals import INTERVALS
from jaxscale.meant import near_path
from jaxscale.results import Comparison, Ensemble, Study
from jaxscale.store.folder import told_reasons
from jaxscale.store.saving import load, save
from jaxscale.store.sealed import free_place, sealed_text, unsealed
from jaxscale.text import Json, shown_name

KIND, VERSION = "jaxscale-comparison", 1
WEIGHTS = "comparison.json"

NOT_READ = "{place}: the comparison could not be read ({reason}){meant}"
NO_COMPARISON = "{place}: is no comparison of jaxscale, as jaxscale compare … --out FOLDER writes it"
NONE_OF_WEIGHT = "a comparison without a law of positive weight cannot be saved"


@dataclass(frozen=True)
class SavedComparison:
    """The laws of a comparison that have a weight.

    Attributes
    ----------
    studies
        One per law, the heaviest first: its fit to all runs, and the replicates.
    weights
        Of the mixture under which the runs held out were likeliest, in the order of the studies, of sum one.
    """

    studies: tuple[Study, ...]
    weights: tuple[float, ...]

    @property
    def ensembles(self) -> tuple[Ensemble, ...]:
        """The replicates of each law, for `js.decide(saved.ensembles, weights=saved.weights, …)`."""
        return tuple(one.ensemble for one in self.studies if one.ensemble is not None)


def is_comparison(folder: str | Path) -> bool:
    """Return whether a folder holds a comparison."""
    return (Path(folder) / WEIGHTS).is_file()


def save_comparison(folder: str | Path, found: Comparison, *, force: bool = False) -> Path:
    """Write the laws of a comparison that have a weight, with their weights; its back-tests are not kept.

    Parameters
    ----------
    folder
        New or empty, or any with force; then a comparison in it is replaced.
    found
        Of `js.compare`.
    force
        Whether a comparison that is there may be replaced.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    StoreError
        For a folder that is not empty, or that cannot be written.

    Examples
    --------
    >>> found = js.compare(runs, ["pure-power-params"], replicates=64, cuts=2)
    >>> saved = js.store.load_comparison(js.store.save_comparison("laws", found))
    >>> saved.weights, saved.studies[0].fit.coefs == found.best.fit.coefs
    ((1.0,), True)
    """
    kept = sorted((one for one in found.scores if one.weight > 0), key=lambda one: -one.weight)
    if not kept:
        raise UsageError(NONE_OF_WEIGHT)
    target = free_place(folder, force=force)
    with told_reasons(target):
        target.mkdir(parents=True, exist_ok=True)
    for place, one in enumerate(kept):
        study = Study(one.fit, one.ensemble, None, found.level, INTERVALS.resolve("percentile"), (), {})
        save(target / _name(place), study, force=force)
    total = sum(one.weight for one in kept)
    fields: dict[str, Json] = {
        "laws": [one.law.name for one in kept],
        "weights": [one.weight / total for one in kept],
        "cuts": [float(cut) for cut in found.cuts],
    }
    with told_reasons(target):
        (target / WEIGHTS).write_text(sealed_text(KIND, VERSION, fields), encoding="ascii")
    return target


def load_comparison(folder: str | Path) -> SavedComparison:
    """Return the laws of a saved comparison and their weights, verified.

    Parameters
    ----------
    folder
        Where `save_comparison` wrote it.

    Returns
    -------
    SavedComparison
        Number for number as it was made.

    Raises
    ------
    StoreError
        For a folder that holds none, or whose files were edited.
    """
    target = Path(folder) / WEIGHTS
    place = shown_name(str(target))
    otherwise = NO_COMPARISON.format(place=place)
    try:
        data = target.read_bytes()
    except OSError as error:
        raise StoreError(NOT_READ.format(place=place, reason=error.strerror, meant=near_path(target))) from error
    record: Any = unsealed(data, place, KIND, VERSION, otherwise=otherwise)  # whose fields save_comparison wrote
    studies = tuple(load(Path(folder) / _name(place)) for place in range(len(record["laws"])))
    if [one.fit.law.name for one in studies] != record["laws"]:
        raise StoreError(otherwise)
    return SavedComparison(studies, tuple(record["weights"]))


def _name(place: int) -> str:
    """Return the name of a law's folder; a law of one's own may have a name that is none of a folder."""
    return f"law-{place + 1}"
