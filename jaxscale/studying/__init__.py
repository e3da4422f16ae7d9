"""A table fitted, resampled, spent, by group, reduced and recounted, in one call; or what is asked of many tables."""

from jaxscale.studying.batch import by_groups
from jaxscale.studying.making import (
    FRONTIER_STAGE,
    check_frontier_inputs,
    compared,
    part_of,
    study,
    with_frontiers,
)

__all__ = [
    "FRONTIER_STAGE",
    "by_groups",
    "check_frontier_inputs",
    "compared",
    "part_of",
    "study",
    "with_frontiers",
]
