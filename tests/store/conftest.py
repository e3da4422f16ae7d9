"""What the tests of the store share."""

import pytest
import store_answers as answers

from jaxscale.store import Saved, save


@pytest.fixture
def folder(tmp_path):
    return save(tmp_path / "out", Saved(answers.fit(), answers.ensemble(), answers.frontier(replicates=12)))
