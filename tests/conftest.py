"""What every test may ask for."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real tables, ../shared/data or $JAXSCALE_SHARED; where it is missing the test is skipped."""
    folder = Path(os.environ.get("JAXSCALE_SHARED", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real tables: {folder} is missing; set JAXSCALE_SHARED")
    return folder
