"""What kind of file the first bytes betray, and what to do with one that is no table of text."""

from __future__ import annotations

import json

from jaxscale.errors import RunsError
from jaxscale.text import beside, python_line

FOREIGN = "{source}: is {kind}, not a table in CSV.\n{advice}"

SPREADSHEET = "Save the sheet as CSV (File, Save As) and give that file."
UNPACK = "Unpack it and give the table inside, or send it to standard input and give '-'."
OBJECTS = (
    "Such files can run code when loaded, so they are never read; write the table as CSV: frame.to_csv(…, index=False)."
)
CONVERT = "Write the table as CSV, for example with pandas: frame.to_csv(…, index=False)."
PARQUET = "Rename it to end in .parquet and it is read as such."
WEB_PAGE = "The download gave a web page, perhaps for a login; fetch the raw file."

PARQUET_MAGIC = b"PAR1"
MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (PARQUET_MAGIC, "a Parquet file", PARQUET),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (.xls)", SPREADSHEET),
    (b"\x1f\x8b", "gzip-compressed", UNPACK),
    (b"BZh", "bzip2-compressed", UNPACK),
    (b"\xfd7zXZ\x00", "xz-compressed", UNPACK),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (
        b"SQLite format 3\x00",
        "an SQLite database",
        "Export one table: sqlite3 -header -csv FILE 'select * from TABLE'.",
    ),
    (b"ARROW1", "an Arrow file", CONVERT),
    (b"FEA1", "a Feather file", CONVERT),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", CONVERT),
    (b"\x93NUMPY", "a NumPy array (.npy)", CONVERT),
    (b"%PDF-", "a PDF document", CONVERT),
)
LINES = "JSON lines"
FLAT = "pandas.read_json({name!r}, lines=True)"
NESTED = "pandas.json_normalize([json.loads(line) for line in open({name!r}, encoding='utf-8') if line.strip()])"
WRITTEN = "import json, pandas; {table}.to_csv({file!r}, index=False)"
WRITE = "Write it as CSV, and give that file:\n{line}"
PICKLE_PROTOCOLS = range(2, 6)
WEB_BEGINNINGS = (b"<!doctype", b"<html", b"<?xml")


def check_format(data: bytes, *, source: str) -> None:
    """Raise RunsError if the bytes begin like a spreadsheet, an archive, a database, a pickle, JSON or a web page."""
    kind, advice = _recognised(data)
    if kind == LINES:
        advice = _lines_advice(data, source)
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
    if begin[:1] == b"{" and _json_lines(data):
        return LINES, ""
    if begin[:1] == b"{" or (begin[:1] == b"[" and begin[1:].lstrip()[:1] in (b"{", b"[", b"]")):
        return "JSON", "Write it as CSV, for example with pandas: pd.read_json(…).to_csv(…, index=False)."
    if begin.lower().startswith(WEB_BEGINNINGS):
        return "a web page (HTML or XML)", WEB_PAGE
    return "", ""


def _json_lines(data: bytes) -> list[object]:
    """Return the objects of the first lines of JSON lines; nothing where the first is not whole on its line."""
    lines = data[: 1 << 20].lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 5)[:5]
    found: list[object] = []
    for line in lines if len(data) < 1 << 20 or len(lines) > 1 else []:
        try:
            found += [json.loads(line)] if line.strip() else []
        except ValueError:
            break
    return found if found and isinstance(found[0], dict) else []


def _lines_advice(data: bytes, source: str) -> str:
    """Return the command that writes JSON lines as CSV; objects in objects become names with dots."""
    is_nested = any(
        isinstance(value, dict) for one in _json_lines(data) if isinstance(one, dict) for value in one.values()
    )
    name = "FILE" if source.startswith("<") else source
    table = NESTED.format(name=name) if is_nested else FLAT.format(name=name)
    return WRITE.format(line=python_line(WRITTEN.format(table=table, file=beside(source, "table"))))


def _zipped(data: bytes) -> tuple[str, str]:
    if b"xl/workbook" in data or b"[Content_Types].xml" in data[:4096]:
        return "an Excel workbook (.xlsx)", SPREADSHEET
    if b".npy" in data[:4096]:
        return "a NumPy archive (.npz)", OBJECTS
    return "a ZIP archive", UNPACK
