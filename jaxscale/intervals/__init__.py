"""Bands from an ensemble of replicates: plain NumPy on samples, one method per file."""

from jaxscale.intervals.band import INTERVALS, Band, Interval, band
from jaxscale.intervals.spec import LikelihoodProfile, Sample

__all__ = ["INTERVALS", "Band", "Interval", "LikelihoodProfile", "Sample", "band"]
