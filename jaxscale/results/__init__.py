"""The answers: frozen records of NumPy numbers and of the specs that made them, singular and crowd."""

from jaxscale.results.counts import Count, Counts
from jaxscale.results.ensemble import Ensemble
from jaxscale.results.fit import Certificate, Fit, Joint, Minimum
from jaxscale.results.frontier import Frontier
from jaxscale.results.misses import Misses, misses_of
from jaxscale.results.provenance import Provenance
from jaxscale.results.solution import Solution

__all__ = [
    "Certificate",
    "Count",
    "Counts",
    "Ensemble",
    "Fit",
    "Frontier",
    "Joint",
    "Minimum",
    "Misses",
    "Provenance",
    "Solution",
    "misses_of",
]
