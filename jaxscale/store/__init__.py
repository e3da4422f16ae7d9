"""Saved results: one folder of strict JSON and plain arrays, written whole or not at all, and trusted in nothing."""

from jaxscale.store.digests import digest_of
from jaxscale.store.loading import load
from jaxscale.store.saved import Saved
from jaxscale.store.saving import save

__all__ = ["Saved", "digest_of", "load", "save"]
