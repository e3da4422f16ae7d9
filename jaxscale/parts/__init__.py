"""Large studies: a bootstrap in parts, resumed, divided among processes and machines, and merged."""

from jaxscale.parts.bootstrap import bootstrap

__all__ = ["bootstrap"]
