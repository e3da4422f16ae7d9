"""What the tests of tables share."""

import pytest

from jaxscale import speaking
from jaxscale.runs import read_runs


@pytest.fixture(autouse=True)
def _on_the_command_line():
    """Let messages be those that the command line shows; how Python says them is in tests/test_speaking.py."""
    with speaking.typing():
        yield


@pytest.fixture
def read(tmp_path):
    """A function that reads the text, or the bytes, of a table with the options of `read_runs`."""

    def read(text, **options):
        path = tmp_path / "runs.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_runs(path, **options)

    return read
