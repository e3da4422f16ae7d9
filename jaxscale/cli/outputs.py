"""Output of a result: the folder named after the computation, and the line of next commands."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from jaxscale.cli import outcomes
from jaxscale.cli.large import check_options
from jaxscale.cli.options import Fitting, Reading, Showing
from jaxscale.cli.session import Session

if TYPE_CHECKING:
    from jaxscale.results import Fit, Study
    from jaxscale.runs import Runs
    from jaxscale.text import Json

LEFT_OUT = "no figure '{name}': {reason}"
KEPT = "the fit without bands is in {folder}"
DONE = "the results are in {folder}"
NEXT = "Saved: {folder} — next: jaxscale frontier {folder} or jaxscale plot {folder}"
NEXT_WITHOUT_FRONTIER = "Saved: {folder} — next: jaxscale plot {folder}"


def digest_of_command(
    runs: Runs, reading: Reading, fitting: Fitting, showing: Showing, *, is_large: bool = False
) -> str:
    """Return 8 characters that are the same for the same table and the same options that can change the result.

    is_large: whether it is a study in parts, to which more replicates are added.
    """
    from jaxscale.store import digest_of

    chosen = {**asdict(reading), **asdict(fitting), **asdict(showing)}
    del chosen["device"]  # the answer is the same on every device, to tolerance
    if is_large:
        del chosen["replicates"]
    return digest_of(runs.origin.sha256, chosen)


def check_folder(folder: Path, digest: str, options: Mapping[str, Json] | None, *, force: bool) -> None:
    """Raise StoreError for a folder that may not be written, before the work is done and not after it.

    options: of a study in parts, which goes on in a folder that was begun with the same; None for another one.
    """
    from jaxscale.store import beginning, manifest
    from jaxscale.store import folder as folders

    place = folders.absolute_path(folder)

    def is_own(found: Path) -> bool:
        return folders.is_own(found, digest) and not manifest.is_large(found)

    if options is None:
        folders.check_writable(place, is_own=is_own, force=force)
        return
    beginning.check_free(place, digest, force=force)
    if not force and not manifest.is_same_study(place, digest):
        check_options(place, options)


def save_result(study: Study | Fit, folder: Path, digest: str, *, force: bool) -> None:
    """Write the result into the folder; raise StoreError where it may not or cannot be written."""
    from jaxscale import store

    with outcomes.held_off():
        store.save(folder, study, own_digest=digest, force=force)


def keep(fit: Fit, folder: Path, digest: str) -> str:
    """Save a fit whose command is interrupted, unless there is a result already, and return what there is to say of it.

    A whole result of the same command is worth more than this one.
    """
    if os.path.lexists(folder):
        return ""
    save_result(fit, folder, digest, force=False)
    return KEPT.format(folder=folder)


def draw(
    study: Study, folder: Path, session: Session, format: str = "png", width: Literal["page", "column"] = "page"
) -> list[Path]:
    """Draw every figure that the study allows into a folder; say which were left out, and return the paths."""
    from jaxscale.figures import FIGURES, draw_all

    paths, left_out = draw_all(tuple(FIGURES), study, folder, format, width)
    for name, reason in left_out.items():
        session.say(LEFT_OUT.format(name=name, reason=reason))
    return paths


def next_steps(folder: Path, *, is_split: bool) -> str:
    """Return where the results are, quoted for a shell, and which commands take that folder.

    is_split: whether there is a frontier.
    """
    return (NEXT if is_split else NEXT_WITHOUT_FRONTIER).format(folder=shlex.quote(str(folder)))
