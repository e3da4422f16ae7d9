"""Saved results: one folder of strict JSON and plain arrays, written whole or not at all, and verified when read."""

from jaxscale.results.digests import digest_of
from jaxscale.store.comparisons import SavedComparison, is_comparison, load_comparison, save_comparison
from jaxscale.store.forecasts import load_forecast, save_forecast
from jaxscale.store.saving import load, save
from jaxscale.store.studies import load_studies, save_studies

__all__ = [
    "SavedComparison",
    "digest_of",
    "is_comparison",
    "load",
    "load_comparison",
    "load_forecast",
    "load_studies",
    "save",
    "save_comparison",
    "save_forecast",
    "save_studies",
]
