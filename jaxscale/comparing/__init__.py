"""Laws compared by what each predicts of runs with more compute, and recipes by what they reach with equal compute."""

from jaxscale.comparing.backtesting import backtest
from jaxscale.comparing.compare import compare
from jaxscale.comparing.differences import LawDifference, difference
from jaxscale.comparing.groups import GroupComparisons, calibration, compare_groups
from jaxscale.comparing.holding_out import hold_out
from jaxscale.comparing.recipes import compare_recipes

__all__ = [
    "GroupComparisons",
    "LawDifference",
    "backtest",
    "calibration",
    "compare",
    "compare_groups",
    "compare_recipes",
    "difference",
    "hold_out",
]
