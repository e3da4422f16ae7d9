"""Laws compared by what each predicts of runs with more compute, and recipes by what they reach with equal compute."""

from jaxscale.comparing.backtesting import backtest
from jaxscale.comparing.compare import compare
from jaxscale.comparing.recipes import compare_recipes

__all__ = ["backtest", "compare", "compare_recipes"]
