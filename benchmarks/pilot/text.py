"""What the networks read: the Python source of one release of SymPy, byte by byte, files held out for validation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

PACKAGE, VERSION = "sympy", "1.14.0"
DIGEST = "d840dd7d47bec6f685738680a3dd06923c6baa364658d852882509bda95585fc"
"""SHA-256 over the names and bytes of all files, in the order of their names."""
HELD_OUT = 20
"""One file in so many, by the digest of its name, is for validation."""
END = b"\x00"
"""Between two files."""

NOT_THERE = "the pilot reads the source of {package} {version} (BSD licence): uv sync --group pilot; found: {found}"
OTHER_TEXT = "the source of {package} {version} here is not the one that the pilot was made with: sha256 {found}"


class TextError(Exception):
    """The text is not there, or is another one."""


@dataclass(frozen=True)
class Text:
    """Bytes (n,) uint8 to learn from, and others, of other files, to be judged by."""

    training: np.ndarray
    validation: np.ndarray


@cache
def text() -> Text:
    """Return the text; raise TextError where it is not there or not the one that the pilot was made with."""
    try:
        found = metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        found = "none"
    if found != VERSION:
        raise TextError(NOT_THERE.format(package=PACKAGE, version=VERSION, found=found))
    files = metadata.files(PACKAGE) or ()
    sources = sorted((str(file), file.locate()) for file in files if file.suffix == ".py")
    digest, training, validation = hashlib.sha256(), [], []
    for name, path in sources:
        body = Path(str(path)).read_bytes()
        digest.update(name.encode() + END + body + END)
        is_held_out = int(hashlib.sha256(name.encode()).hexdigest(), 16) % HELD_OUT == 0
        (validation if is_held_out else training).append(body + END)
    if digest.hexdigest() != DIGEST:
        raise TextError(OTHER_TEXT.format(package=PACKAGE, version=VERSION, found=digest.hexdigest()))
    return Text(*(np.frombuffer(b"".join(part), np.uint8) for part in (training, validation)))
