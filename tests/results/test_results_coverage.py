"""The share of intervals that held the truth, with the error of a binomial count."""

import pytest
from scipy import stats

from jaxscale.results.coverage import Held


@pytest.mark.parametrize(("share", "studies"), [(0.9, 200), (0.5, 40), (0.95, 1000)])
def test_its_error_is_that_of_a_binomial_count(share, studies):
    covered = Held("pairs", "percentile", "E", None, 1.7, share, (1.0 - share) / 2, (1.0 - share) / 2, studies, 0.1)
    assert covered.error == pytest.approx(stats.binom(studies, share).std() / studies, rel=1e-12)
