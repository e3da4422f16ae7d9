"""Forecasts: what a study predicts of runs before they are made, and the score of it afterwards."""

from jaxscale.forecasting.forecasts import forecast, score

__all__ = ["forecast", "score"]
