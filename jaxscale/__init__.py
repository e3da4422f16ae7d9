"""jaxscale: from a table of training runs to a compute plan that can be defended.

A law is an equation with named coefficients; an objective is a rho function of the residuals; a scheme says which other
tables we might have measured. One loop minimises thousands of copies at once, and every one of them ends with a status.
The names below are loaded on first use, so that importing jaxscale costs nothing and starts no backend.
"""

from jaxscale.cli import starting

starting.begin()  # only where the program is the command, whose Ctrl-C is then answered from its first moment

import lazy_loader  # noqa: E402 - itself milliseconds in which Ctrl-C would print a traceback

from jaxscale import forks  # noqa: E402

forks.watch()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
