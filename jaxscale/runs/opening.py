"""The bytes of a table: read once, recognised by their first bytes, and decoded."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from jaxscale.digits import data_size
from jaxscale.errors import RunsError, UsageError
from jaxscale.meant import near_path
from jaxscale.text import shown, shown_name

TOO_LARGE = (
    "{source}: {size} would take about {need} of memory to read, and a table may take {limit}.\n"
    "Keep only the rows and columns that the fit needs, or average the checkpoints of each run, and read that table."
)
MEMORY_LIMIT = 2e9
"""Bytes of memory that reading a table may take."""

NOT_A_PATH = "read_runs takes a path or '-', not {kind}; a pandas DataFrame goes to Runs.from_frame"
NOT_FOUND = "{source}: there is no such file; check the name and the folder ({folder}){meant}"
DANGLING = "{source}: the link points to a file that does not exist; mend the link or name the table itself"
ADDRESS = "{source}: is an address, and only files are read; download it and give the file's name"
DIRECTORY = "{source}: is a directory; give the name of a table inside it"
NOT_REGULAR = "{source}: is a pipe, socket or device, not a file; send its contents to standard input and give '-'"
FORBIDDEN = "{source}: no permission to read it; check the file's owner and mode"
CANNOT_OPEN = "{source}: cannot be read ({reason}); check the name and the disk"
CHANGED = (
    "{source}: the file changed while it was read, so the numbers may belong to two versions.\n"
    "Wait until nothing writes to it, or copy it, and read it again."
)
STDIN_CLOSED = "standard input is closed, so '-' has nothing to read; give a file name or pipe a table in"
STDIN_TERMINAL = "'-' reads a table from standard input, which is a terminal; give a file name or pipe a table in"
STANDARD_INPUT = ("-", "/dev/stdin")

FOREIGN = "{source}: is {kind}, not a table in CSV.\n{advice}"
SPREADSHEET = "Save the sheet as CSV (File, Save As) and give that file."
UNPACK = "Unpack it and give the table inside, or send it to standard input and give '-'."
OBJECTS = (
    "Such files can run code when loaded, so they are never read; write the table as CSV: frame.to_csv(…, index=False)."
)
EXPORT = "Export one table: sqlite3 -header -csv FILE 'select * from TABLE'."
PARQUET = "Rename it to end in .parquet and it is read as such."
WEB_PAGE = "The download gave a web page, perhaps for a login; fetch the raw file."
PARQUET_MAGIC = b"PAR1"
MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (PARQUET_MAGIC, "a Parquet file", PARQUET),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (.xls)", SPREADSHEET),
    (b"\x1f\x8b", "gzip-compressed", UNPACK),
    (b"SQLite format 3\x00", "an SQLite database", EXPORT),
)
PICKLE_PROTOCOLS = range(2, 6)
WEB_BEGINNINGS = (b"<!doctype", b"<html", b"<?xml")

NO_SUCH_ENCODING = "--encoding {name} is no text encoding; write for example utf-8, utf-16, latin-1 or cp1252"
BAD_BYTE = (
    "{source}: byte {offset} ({value}) on line {line} is not {encoding}.\n"
    "If the file is text, name its encoding: --encoding {guess}."
)
BAD_BYTES = "{source}: the bytes are not {encoding}; name the encoding of the file with --encoding"
NUL_BYTE = "{source}: byte {offset} on line {line} is NUL, so the file is binary or UTF-16.\n{advice}."
UTF_16 = "If it is text, name its encoding: --encoding {guess}"
BINARY = "If it should be text, write it again as UTF-8"
BYTE_ORDER_MARKS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def check_fits(size: int, *, cost: float, source: str) -> None:
    """Raise RunsError if reading `size` bytes, at `cost` bytes of memory each, takes more than `MEMORY_LIMIT`."""
    if size * cost > MEMORY_LIMIT:
        told = {"size": data_size(size), "need": data_size(size * cost), "limit": data_size(MEMORY_LIMIT)}
        raise RunsError(TOO_LARGE.format(source=source, **told))


@dataclass(frozen=True)
class Content:
    """The content of a source: its name for messages, its bytes, and their SHA-256 in hexadecimal."""

    source: str
    data: bytes
    sha256: str


def content_of(source: str | Path, *, cost: float) -> Content:
    """Return the bytes of a file, or of standard input for "-".

    cost: bytes of memory that one byte of the source will need once it is parsed.
    Raises RunsError for what is no readable regular file, for one that changes meanwhile, and for one that does not fit
    in memory; UsageError for a terminal or a closed standard input.
    """
    if not isinstance(source, (str, Path)):
        raise UsageError(NOT_A_PATH.format(kind=type(source).__name__))
    if str(source) in STANDARD_INPUT:
        name, data = "<stdin>", _standard_input(cost)
    else:
        name, data = str(source), _file(str(source), cost)
    return Content(name, data, hashlib.sha256(data).hexdigest())


def _standard_input(cost: float) -> bytes:
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError(STDIN_CLOSED)
    if sys.stdin.isatty():
        raise UsageError(STDIN_TERMINAL)
    try:
        limit = int(MEMORY_LIMIT / cost)
        data = sys.stdin.buffer.read(limit + 1)
    except OSError as error:
        raise UsageError(STDIN_CLOSED) from error
    check_fits(len(data), cost=cost, source="<stdin>")
    return data


def _file(name: str, cost: float) -> bytes:
    shown = shown_name(name)
    try:
        before = os.stat(name)
        if stat.S_ISDIR(before.st_mode):
            raise RunsError(DIRECTORY.format(source=shown))
        if not stat.S_ISREG(before.st_mode):
            raise RunsError(NOT_REGULAR.format(source=shown))
        check_fits(before.st_size, cost=cost, source=shown)
        with open(name, "rb") as handle:
            data = content(handle, before.st_size + 1)
        after = os.stat(name)
    except FileNotFoundError as error:
        raise RunsError(_absent(name)) from error
    except PermissionError as error:
        raise RunsError(FORBIDDEN.format(source=shown)) from error
    except (OSError, ValueError) as error:
        if isinstance(error, RunsError):
            raise
        reason = error.strerror if isinstance(error, OSError) else "a NUL in the name"
        raise RunsError(CANNOT_OPEN.format(source=shown, reason=reason)) from error
    if _version(before) != _version(after) or len(data) != before.st_size:
        raise RunsError(CHANGED.format(source=shown))
    return data


def content(handle: BinaryIO, limit: int) -> bytes:
    """Return at most `limit` bytes of an open file."""
    return handle.read(limit)


def _absent(name: str) -> str:
    shown = shown_name(name)
    if "://" in name:
        return ADDRESS.format(source=shown)
    if os.path.islink(name):
        return DANGLING.format(source=shown)
    return NOT_FOUND.format(source=shown, folder=shown_name(os.getcwd()), meant=near_path(name))


def _version(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def check_format(data: bytes, *, source: str) -> None:
    """Raise RunsError if the bytes begin like a spreadsheet, an archive, a database, a pickle, JSON or a web page."""
    kind, advice = _recognised(data)
    if kind:
        raise RunsError(FOREIGN.format(source=source, kind=kind, advice=advice))


def _recognised(data: bytes) -> tuple[str, str]:
    for magic, kind, advice in MAGIC:
        if data.startswith(magic):
            return kind, advice
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(data)
    if data[:1] == b"\x80" and data[1:2] and data[1] in PICKLE_PROTOCOLS:
        return "a Python pickle", OBJECTS
    begin = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n")
    if begin[:1] == b"{" or (begin[:1] == b"[" and begin[1:].lstrip()[:1] in (b"{", b"[", b"]")):
        return "JSON", "Write it as CSV, for example with pandas: pd.read_json(…).to_csv(…, index=False)."
    if begin.lower().startswith(WEB_BEGINNINGS):
        return "a web page (HTML or XML)", WEB_PAGE
    return "", ""


def json_lines(data: bytes) -> list[object]:
    """Return the objects of the first lines of JSON lines; nothing where the first is not whole on its line."""
    lines = data[: 1 << 20].lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 5)[:5]
    found: list[object] = []
    for line in lines if len(data) < 1 << 20 or len(lines) > 1 else []:
        try:
            found += [json.loads(line)] if line.strip() else []
        except ValueError:
            break
    return found if found and isinstance(found[0], dict) else []


def is_workbook(data: bytes) -> bool:
    """Return whether the bytes begin like a workbook of Excel (.xlsx)."""
    return data.startswith(b"PK\x03\x04") and (b"xl/workbook" in data or b"[Content_Types].xml" in data[:4096])


def _zipped(data: bytes) -> tuple[str, str]:
    if is_workbook(data):
        return "an Excel workbook (.xlsx)", SPREADSHEET
    if b".npy" in data[:4096]:
        return "a NumPy archive (.npz)", OBJECTS
    return "a ZIP archive", UNPACK


def text_of(data: bytes, *, encoding: str, source: str) -> str:
    """Return the decoded text, a byte-order mark included; raise RunsError naming the first byte that does not fit."""
    try:
        text = data.decode(encoding)
    except LookupError as error:
        raise UsageError(NO_SUCH_ENCODING.format(name=shown(encoding))) from error
    except UnicodeDecodeError as error:
        raise RunsError(_bad_byte(data, error.start, encoding, source)) from error
    except UnicodeError as error:
        raise RunsError(BAD_BYTES.format(source=source, encoding=encoding)) from error
    nul = text.find("\x00")
    if nul >= 0:
        offset = data.find(b"\x00")
        line = text.count("\n", 0, nul) + 1
        guess = _guess(data)
        advice = UTF_16.format(guess=guess) if guess.startswith("utf") else BINARY
        raise RunsError(NUL_BYTE.format(source=source, offset=offset, line=line, advice=advice))
    return text


def _bad_byte(data: bytes, offset: int, encoding: str, source: str) -> str:
    line = data.count(b"\n", 0, offset) + 1
    value = f"0x{data[offset]:02x}" if offset < len(data) else "the end"
    return BAD_BYTE.format(source=source, offset=offset, value=value, line=line, encoding=encoding, guess=_guess(data))


def _guess(data: bytes) -> str:
    for mark, name in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return name
    # ASCII text in UTF-16 has a NUL in every other byte: the second of a pair if little-endian.
    second, first = data[1:1000:2].count(0), data[0:1000:2].count(0)
    if max(first, second) > min(len(data), 1000) // 8:
        return "utf-16-le" if second > first else "utf-16-be"
    return "latin-1"
