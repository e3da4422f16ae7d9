"""Which phase of scaling a table shows, before anything is extrapolated from it."""

from jaxscale.checking.check import check

__all__ = ["check"]
