"""What the tests of tables share."""

import pytest

from jaxscale.runs import read_runs


@pytest.fixture
def read(tmp_path):
    """A function that reads the text, or the bytes, of a table with the options of `read_runs`."""

    def read(text, **options):
        path = tmp_path / "runs.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_runs(path, **options)

    return read
