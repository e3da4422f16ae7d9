"""Public tables: the address and digest of each, and its download.

A table is read from the folder that JAXSCALE_DATA_DIR names, and then from nowhere else; without that, it is fetched
once into the user's cache. Either way its digest is compared before anything in it is read.
"""

from __future__ import annotations

import hashlib
import os
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxscale.errors import MissingDependencyError, RunsError

FOLDER = "JAXSCALE_DATA_DIR"
"""Environment variable: the folder in which public tables lie."""
LARGEST = 64 * 2**20
"""Bytes beyond which nothing is fetched."""
PATIENCE = 30.0
"""Seconds without an answer after which a connection is given up."""

NO_POOCH = (
    "data set '{name}' has to be fetched, which takes pooch: uv sync --extra data, or pip install 'jaxscale[data]'; "
    "or {by_hand}"
)
NOT_FETCHED = "data set '{name}' could not be fetched: {why}; {by_hand}"
NOT_THERE = "data set '{name}': {path} cannot be read ({why}); {by_hand}"
BY_HAND = "save {address} (sha256 {sha256}) as {file} in a folder, and name that folder in {variable}"
OTHER_BYTES = (
    "data set '{name}': {where} is not the file that is known: its sha256 is {found}, {wanted} was expected; "
    "{what_then}. The file that is known is {address}"
)
KEPT = "it is left as it is"
DELETED = "it was deleted"
CHANGED = "it changed while it was read"
NOT_SECURE = "{address} leads to {other}, which is not https"
TOO_LARGE = "{address} is larger than {limit} bytes"


@dataclass(frozen=True)
class Public:
    """A public table.

    address: of the file, at one commit, by https.   sha256: hexadecimal digest of its bytes.   licence: as it is
    stated there.   citation: of the measurements, and of the table made of them.   about: the meaning of a row, and
    notes for a fit; Markdown.
    """

    name: str
    address: str
    sha256: str
    licence: str
    citation: str
    about: str

    @property
    def file(self) -> str:
        """The file's name on this machine: a registered name, never a part of the address."""
        return f"{self.name}.csv"

    @property
    def card(self) -> str:
        """The card, Markdown."""
        lines = (f"| address | <{self.address}> |", f"| sha256 | `{self.sha256}` |", f"| licence | {self.licence} |")
        table = "\n".join(("| | |", "|---|---|", *lines, f"| cite | {self.citation} |"))
        return f"# {self.name}\n\n{self.about}\n\n{table}\n"


EPOCH = Public(
    name="epoch-chinchilla",
    address=(
        "https://raw.githubusercontent.com/hadasah/scaling_laws/1f3708c0a12df0effb0ee906b1da5f9f0ff4f4f1/"
        "data/epoch_ai.csv"
    ),
    sha256="1a91038dd0bc270b975e3ac01e82b5636292f1f0b8f276dbfdac3313e9cce436",
    licence="none stated, neither there nor by those who made it",
    citation=(
        "Hoffmann et al. 2022, arXiv 2203.15556, figure 4, for the runs; Besiroglu et al. 2024, arXiv 2404.10102, for "
        "reading them off it"
    ),
    about=(
        "245 runs: `N` params, `C` FLOP, `loss` in nats per token; D = C / 6N. `x`, `y` and `color` are those of the "
        "figure.\n\nLosses are read off colours, 342 of them on a logarithmic scale from 2 to 5: neighbours differ by "
        "0.2 to 0.6 %. The replication leaves out the five highest losses, `loss < 3.4469`, which are runs with less "
        "than half a token per parameter; with them the exponent of tokens is 0.45 in place of 0.37."
    ),
)
"""The runs of Hoffmann et al. 2022, as they were read off a figure."""


def file_of(table: Public) -> Path:
    """Return the path of a public table, fetched if necessary.

    Raises RunsError for bytes that are not those known, and for a file that is neither there nor can be fetched;
    MissingDependencyError where it has to be fetched and pooch is missing.
    """
    by_hand = BY_HAND.format(address=table.address, sha256=table.sha256, file=table.file, variable=FOLDER)
    folder = os.environ.get(FOLDER)
    if folder:
        path = Path(folder).expanduser() / table.file
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise RunsError(NOT_THERE.format(name=table.name, path=path, why=why, by_hand=by_hand)) from None
        check_digest(table, found, str(path), KEPT)
        return path
    try:
        import pooch
        import requests
    except ImportError:
        raise MissingDependencyError(NO_POOCH.format(name=table.name, by_hand=by_hand)) from None

    def fetch(address: str, to: str, _: object) -> None:
        with requests.get(address, stream=True, timeout=PATIENCE) as answer:
            answer.raise_for_status()
            _write(table, answer, to)

    cache = pooch.os_cache("jaxscale") / "datasets"
    try:
        kept = pooch.retrieve(table.address, f"sha256:{table.sha256}", fname=table.file, path=cache, downloader=fetch)
    except OSError as error:  # of which those of requests are
        raise RunsError(NOT_FETCHED.format(name=table.name, why=_first_words(error), by_hand=by_hand)) from None
    return Path(kept)


def _write(table: Public, answer: Any, to: str) -> None:  # noqa: ANN401 - of requests, which has no types of its own
    """Write a server's answer to a file, which pooch deletes if this raises."""
    for hop in (*answer.history, answer):
        if not hop.url.startswith("https://"):
            raise RunsError(NOT_SECURE.format(address=table.address, other=hop.url))
    digest, size = hashlib.sha256(), 0
    with Path(to).open("wb") as file:
        for piece in answer.iter_content(2**16):
            size += len(piece)
            if size > LARGEST:
                raise RunsError(TOO_LARGE.format(address=table.address, limit=LARGEST))
            digest.update(piece)
            file.write(piece)
    check_digest(table, digest.hexdigest(), table.address, DELETED)


def check_digest(table: Public, found: str, where: str, what_then: str) -> None:
    """Raise RunsError unless a digest is that of the table."""
    if found != table.sha256:
        words = {"name": table.name, "where": where, "found": found, "wanted": table.sha256, "what_then": what_then}
        raise RunsError(OTHER_BYTES.format(**words, address=table.address))


def _first_words(error: Exception) -> str:
    """Return the kind of an error and the beginning of what it says: requests prints objects and addresses."""
    return f"{type(error).__name__}: {textwrap.shorten(str(error), 60, placeholder=' …')}"
