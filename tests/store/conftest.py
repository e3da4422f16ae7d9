"""What the tests of the store share."""

import pytest
import store_answers as answers

from jaxscale.results import Study
from jaxscale.store import save


@pytest.fixture
def folder(tmp_path):
    return save(tmp_path / "out", Study(answers.fit(), answers.ensemble(), answers.frontier(replicates=12)))
