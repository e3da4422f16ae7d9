"""Large studies: a bootstrap in parts, resumed, divided among processes and machines, and merged; many studies."""

from jaxscale.parts.bootstrap import bootstrap
from jaxscale.parts.commands import bootstrap_in, go_on
from jaxscale.parts.inventory import Inventory, inventory
from jaxscale.parts.merging import merge
from jaxscale.parts.studies import studies

__all__ = ["Inventory", "bootstrap", "bootstrap_in", "go_on", "inventory", "merge", "studies"]
