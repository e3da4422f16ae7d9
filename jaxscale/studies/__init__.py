"""A table fitted, resampled, spent, by group, reduced and recounted, in one call: what every command makes."""

from jaxscale.studies.making import (
    FRONTIER_STAGE,
    check_frontier_inputs,
    compared,
    part_of,
    study,
    with_frontiers,
)

__all__ = ["FRONTIER_STAGE", "check_frontier_inputs", "compared", "part_of", "study", "with_frontiers"]
