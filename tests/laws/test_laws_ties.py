"""Two coefs that are to be one: the law that ties them is found by what it predicts."""

from itertools import combinations

import pytest

from jaxscale.errors import UsageError
from jaxscale.laws import LAWS
from jaxscale.laws.checking import check_no_ties, ties

KNOWN = {law.name: law for law in LAWS}


def test_chinchilla_with_equal_exponents_is_the_tied_law_and_no_other_pair_is():
    law, tied = KNOWN["chinchilla"], KNOWN["chinchilla-tied"]
    pairs = [pair for pair in combinations(law.names, 2) if ties(law, tied, *pair)]
    assert pairs == [("alpha", "beta")]


@pytest.mark.parametrize(("one", "other"), [("alpha", "beta"), ("beta", "alpha")])
def test_a_coef_held_at_another_is_answered_with_the_law_that_ties_them(one, other):
    with pytest.raises(UsageError, match="--law chinchilla-tied"):
        check_no_ties(KNOWN["chinchilla"], {one: other}, known=KNOWN)


def test_numbers_are_let_through_as_text_too():
    check_no_ties(KNOWN["chinchilla"], {"alpha": 0.3, "beta": "0.3"}, known=KNOWN)
