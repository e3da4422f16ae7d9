"""What of a large study is there, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jaxscale.store.folder import absolute_path
from jaxscale.store.manifest import Manifest, read_manifest


@dataclass(frozen=True)
class Inventory:
    """The replicates of a large study.

    Attributes
    ----------
    folder
        Of the study.
    there, asked
        How many replicates are there, and how many were asked for.
    parts
        How many parts are there.
    missing
        The ranges (start, stop) of replicates that are not there, one per part.
    damaged
        What was left out of a merge, since its file is missing or not what was saved: a line each.

    Examples
    --------
    >>> begun = js.bootstrap(fit, replicates=64, folder="large", part=48, max_seconds=0)
    >>> js.parts.inventory("large").missing
    ((0, 48), (48, 64))
    """

    folder: Path
    there: int
    asked: int
    parts: int
    missing: tuple[tuple[int, int], ...]
    damaged: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every replicate that was asked for is there."""
        return not self.missing

    @classmethod
    def of(cls, folder: Path, manifest: Manifest, damaged: tuple[str, ...] = ()) -> Inventory:
        """Return the inventory that a manifest gives.

        Parameters
        ----------
        folder
            Of the study.
        manifest
            Its manifest.
        damaged
            A line for each part that was left out.

        Returns
        -------
        Inventory
            Of the parts that the manifest names.
        """
        missing = tuple((rows.start, rows.stop) for rows in manifest.missing())
        return cls(folder, manifest.there, manifest.asked, len(manifest.parts), missing, damaged)


def inventory(folder: str | Path) -> Inventory:
    """Return what of a large study is there, by its manifest; the files of its parts are not read.

    Parameters
    ----------
    folder
        Of the study, or of a share of one.

    Returns
    -------
    Inventory
        What is there and what is missing.

    Raises
    ------
    StoreError
        For a folder without a manifest, or with one that is damaged.

    Examples
    --------
    >>> made = js.bootstrap(fit, replicates=64, folder="large", part=16)
    >>> js.parts.inventory("large").is_whole
    True
    """
    target = absolute_path(folder)
    return Inventory.of(target, read_manifest(target))
