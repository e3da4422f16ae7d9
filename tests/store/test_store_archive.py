"""An archive with the right hash and hostile contents: nothing is evaluated, unpickled or allocated on its word."""

import io
import zipfile

import numpy as np
import pytest
from store_damage import ARRAYS, exchanged, refusal


def archive(*members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, data in members:
            file.writestr(name, data)
    return buffer.getvalue()


def npy(array, **options):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


def header(text):
    padded = text.encode() + b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a zip"),
        (b"PK\x03\x04", "not a zip"),
        (archive(("a.npy", b"")), ""),
        (archive(("a.npy", npy(np.array([{}], dtype=object), allow_pickle=True))), "not plain numbers"),
        (archive(("a.npy", npy(np.array(["text"])))), "not plain numbers"),
        (archive(("a.npy", npy(np.zeros(2, [("x", "<f8")])))), "not plain numbers"),
        (archive(("a.npy", npy(np.asfortranarray(np.ones((2, 2)))))), "not plain numbers"),
        (archive(("a.npy", npy(np.ones(2), version=(2, 0)))), "not plain numbers"),
        (archive(("a.npy", npy(np.ones(3))[:-1])), "shorter or longer"),
        (archive(("a.npy", npy(np.ones(3)) + b"x")), "shorter or longer"),
        (archive(("a.npy", header("{'descr': '<f8', 'fortran_order': False, 'shape': (10**9,)}"))), ""),
        (archive(("a.npy", header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,), }"))), "shorter"),
        (archive(("a.npy", header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1)}"))), ""),
        (archive(("a.npy", header("(" * 9000))), ""),
        (archive(("a.npy", header("__import__('os').abort()"))), ""),
        (archive(("a.npy", bytes(10**7)), compression=zipfile.ZIP_DEFLATED), "compressed"),
        (archive(("../a.npy", npy(np.ones(1)))), "missing"),
    ],
    ids=[
        "empty", "cut", "blank", "pickle", "text", "struct", "fortran", "version", "short", "long", "power", "huge",
        "negative", "parentheses", "code", "bomb", "parent",
    ],
)  # fmt: skip
def test_an_archive_that_is_not_plain_arrays_is_refused(folder, data, reason):
    exchanged(folder, data)
    assert reason in refusal(folder)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_array_that_occurs_twice_is_refused(folder):
    exchanged(folder, archive(("a.npy", npy(np.ones(1))), ("a.npy", npy(np.ones(1)))))
    assert "occurs twice" in refusal(folder)


def test_members_that_overlap_are_refused(folder):
    """Two names for one place: how a small archive claims to be large."""
    plain = archive(("a.npy", npy(np.ones(100))), ("b.npy", npy(np.ones(100))))
    start = plain.index(b"PK\x01\x02")
    second = plain.index(b"PK\x01\x02", start + 4)
    at_zero = plain[: second + 42] + bytes(4) + plain[second + 46 :]
    exchanged(folder, at_zero[start - start :])
    refusal(folder)


def test_text_whose_ends_do_not_fit_is_refused(folder):
    with np.load(folder / ARRAYS) as saved:
        arrays = {name: saved[name] for name in saved.files}
    for ends in ([5] * 10, list(range(10, 0, -1)), [-1] * 10, [2**62] * 10):
        arrays["fit.runs.group.ends"] = np.array(ends, np.int64)
        exchanged(folder, archive(*((f"{name}.npy", npy(array)) for name, array in arrays.items())))
        assert "runs.group" in refusal(folder)
