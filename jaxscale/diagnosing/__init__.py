"""What a fit rests on: the influence of each run on the answer, and what the residuals have left to say."""

from jaxscale.diagnosing.diagnose import diagnose

__all__ = ["diagnose"]
