"""The three approaches of Hoffmann et al. 2022 to the best size: minimum over curves, IsoFLOP profiles, a fit."""

from jaxscale.approaches.agreement import Agreement, Approach, Difference, agreement
from jaxscale.approaches.envelope import Envelope, envelope
from jaxscale.approaches.isoflop import Bias, IsoFlop, LeftOut, bias_of, isoflop
from jaxscale.approaches.lines import PowerLaw, Trend, ensemble_trend, fit_trend, power_law, trend_of
from jaxscale.approaches.profiles import METHODS

__all__ = [
    "METHODS",
    "Agreement",
    "Approach",
    "Bias",
    "Difference",
    "Envelope",
    "IsoFlop",
    "LeftOut",
    "PowerLaw",
    "Trend",
    "agreement",
    "bias_of",
    "ensemble_trend",
    "envelope",
    "fit_trend",
    "isoflop",
    "power_law",
    "trend_of",
]
