"""Two laws compared once on one table, for all tests of comparisons."""

import pytest
from six_budgets import table

import jaxscale as js


@pytest.fixture(scope="package")
def runs():
    return table()


@pytest.fixture(scope="package")
def found(runs):
    return js.compare(runs, ("kaplan", "chinchilla"), replicates=100, cuts=2)
