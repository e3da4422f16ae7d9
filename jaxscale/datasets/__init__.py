"""Tables that ship with the package, each with a card that says what it is."""

from jaxscale.datasets.loading import card, load, names

__all__ = ["card", "load", "names"]
