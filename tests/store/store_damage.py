"""Ways to damage a saved result, and what load must say of it."""

import hashlib
import json

import numpy as np
import pytest

from jaxscale.errors import StoreError
from jaxscale.store import load
from jaxscale.store.archive import write_archive
from jaxscale.store.folder import sha256_of

RESULT, ARRAYS = "result.json", "arrays.npz"


def refusal(folder, **own):
    with pytest.raises(StoreError) as refused:
        load(folder, **own)
    message = str(refused.value)
    assert 1 <= len(message.splitlines()) <= 3
    assert all(line.isprintable() for line in message.splitlines())
    assert refused.value.exit_code == 6
    return message


def outcome(folder):
    """Return the refusal's message, or nothing where the result loads; any other exception fails the test."""
    try:
        load(folder)
    except StoreError as refused:
        return str(refused)
    return ""


def edited(folder, change):
    """Change the document of a saved result in place, and make its hash fit, as someone hostile would."""
    record = json.loads((folder / RESULT).read_text())
    change(record)
    (folder / RESULT).write_text(json.dumps({**record, "sha256": sha256_of(record)}))


def exchanged(folder, data):
    """Put other bytes in the archive's place, with the hash that they have, as someone hostile would."""
    (folder / ARRAYS).write_bytes(data)
    edited(folder, lambda record: record.update(arrays=described(data)))


def rewritten(folder, name, place, number):
    """Change one number of one array, and make size and hash fit, as someone hostile would."""
    with np.load(folder / ARRAYS) as saved:
        array = saved[name]
    bits = array.view(np.int8) if array.dtype == bool else array  # a flag is a byte
    bits[place] = number
    exchanged_arrays(folder, {name: array})


def exchanged_arrays(folder, changed):
    """Put other arrays in the place of some, and make size and hash fit."""
    with np.load(folder / ARRAYS) as saved:
        arrays = {key: saved[key] for key in saved.files}
    (folder / ARRAYS).unlink()
    write_archive(folder / ARRAYS, {**arrays, **changed})
    exchanged(folder, (folder / ARRAYS).read_bytes())


def described(data):
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
