"""The three approaches of Hoffmann et al. 2022 to the best size: minimum over curves, IsoFLOP profiles, a fit."""

from jaxscale.approaches.agreement import Agreement, Approach, Difference, agreement
from jaxscale.approaches.bias import Bias, bias_of
from jaxscale.approaches.envelope import Envelope, envelope
from jaxscale.approaches.isoflop import IsoFlop, LeftOut, isoflop
from jaxscale.approaches.minima import METHODS
from jaxscale.approaches.parametric import ensemble_trend, fit_trend, trend_of
from jaxscale.approaches.powers import PowerLaw, power_law
from jaxscale.approaches.trend import Trend

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
