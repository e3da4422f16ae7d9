"""The bootstrap: replicates surveyed, refitted by ranges, and gathered to an ensemble."""

from jaxscale.refitting.bootstrap import resample
from jaxscale.refitting.following import followed
from jaxscale.refitting.gather import gather
from jaxscale.refitting.profile import profile
from jaxscale.refitting.refit import Refits, refit
from jaxscale.refitting.setup import check_clusters, still_open
from jaxscale.refitting.survey import Survey, survey
from jaxscale.refitting.two_steps import TwoSteps, two_steps

__all__ = [
    "Refits",
    "Survey",
    "TwoSteps",
    "check_clusters",
    "followed",
    "gather",
    "profile",
    "refit",
    "resample",
    "still_open",
    "survey",
    "two_steps",
]
