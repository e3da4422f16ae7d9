"""What tests of large studies ask of folders and ensembles."""

import numpy as np

from jaxscale.refitting.starting import REFITTING

REPLICATES, PART = 300, 64
"""Five parts, the last of which is shorter."""


def content(folder):
    """Return name → bytes of the files of a study; the log alone may differ from run to run."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths if path.name != "log.jsonl"}


def assert_same(one, other):
    """Assert that two ensembles are the same to the bit."""
    assert list(one.coefs) == list(other.coefs)
    for name in one.coefs:
        np.testing.assert_array_equal(one.coefs[name], other.coefs[name])
    nowhere = np.zeros(len(one), bool)
    for name in one.coefs:
        np.testing.assert_array_equal(one.without.get(name, nowhere), other.without.get(name, nowhere))
    for name in ("value", "status", "steps"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert [(note.code, note.message) for note in one.findings] == [(n.code, n.message) for n in other.findings]


def stop_after(parts):
    """Return an `is_stopping` that lets so many parts be made, asked once before the first and once after each."""
    answers = iter([False] * parts + [True] * 1000)
    return lambda: next(answers)


def flip(path):
    """Flip one bit of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def counting(told):
    """Return the arguments by which a function is told how many replicates more of the parts are refitted."""
    stages = [""]

    def done(count):
        if stages[-1].startswith("Part") and stages[-1].endswith(REFITTING):  # those of a survey are no parts
            told(count)

    return {"on_stage": lambda text, total: stages.append(text), "on_done": done}
