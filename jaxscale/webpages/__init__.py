"""One HTML page per study, which needs nothing else to be read."""

from jaxscale.webpages.making import report

__all__ = ["report"]
