"""Large studies: a bootstrap in parts, resumed, divided among processes and machines, and merged."""

from jaxscale.parts.bootstrap import bootstrap
from jaxscale.parts.inventory import Inventory, inventory
from jaxscale.parts.merging import merge
from jaxscale.parts.studies import bootstrap_in, go_on

__all__ = ["Inventory", "bootstrap", "bootstrap_in", "go_on", "inventory", "merge"]
