"""Laws compared by what each predicts of runs with more compute than those that it was fitted to."""

from jaxscale.comparing.backtesting import backtest
from jaxscale.comparing.compare import compare

__all__ = ["backtest", "compare"]
