"""Saved results: one folder of strict JSON and plain arrays, written whole or not at all, and verified when read."""

from jaxscale.results.digests import digest_of
from jaxscale.store.forecasts import load_forecast, save_forecast
from jaxscale.store.saving import load, save

__all__ = ["digest_of", "load", "load_forecast", "save", "save_forecast"]
