"""Saved results: one folder of strict JSON and plain arrays, written whole or not at all, and verified when read."""

from jaxscale.store.saving import digest_of, load, save

__all__ = ["digest_of", "load", "save"]
