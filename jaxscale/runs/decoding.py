"""Bytes to text, with the place of the first byte that does not belong."""

from __future__ import annotations

import codecs

from jaxscale.errors import RunsError, UsageError
from jaxscale.text import shown

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
