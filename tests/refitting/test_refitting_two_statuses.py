"""Two steps of one replicate: whether it counts, and which status it has, of every pair of them."""

from dataclasses import replace
from itertools import product

import numpy as np
from handmade import ensemble_of, fit_of

from jaxscale.refitting import TwoSteps
from jaxscale.status import Status


def test_two_steps_have_the_status_of_the_first_that_failed_or_else_that_of_an_edge():
    pairs = list(product(Status, repeat=2))
    steps = []
    for name, codes in zip(("chinchilla", "pure-power-params"), zip(*pairs, strict=True), strict=True):
        ensemble = ensemble_of(fit_of(name), replicates=len(pairs))
        steps.append(replace(ensemble, status=np.array(codes, np.int8)))
    both = TwoSteps(*steps)
    for pair, code, counts in zip(pairs, both.status, both.usable, strict=True):
        failed = [status for status in pair if status not in (Status.CONVERGED, Status.AT_BOUND)]
        edge = Status.AT_BOUND if Status.AT_BOUND in pair else Status.CONVERGED
        assert Status(int(code)) is (failed[0] if failed else edge), pair
        assert counts == (not failed), pair
