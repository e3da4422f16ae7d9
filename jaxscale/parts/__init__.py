"""Large studies: a bootstrap in parts, resumed, divided among processes and machines, and merged."""

from jaxscale.parts.bootstrap import bootstrap
from jaxscale.parts.inventory import Inventory, inventory
from jaxscale.parts.merging import merge

__all__ = ["Inventory", "bootstrap", "inventory", "merge"]
