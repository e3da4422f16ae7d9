"""Tables by name, each with a card that says what it is: one ships with the package, public ones are fetched."""

from jaxscale.datasets.loading import card, load, names

__all__ = ["card", "load", "names"]
