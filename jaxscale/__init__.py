"""jaxscale: from a table of training runs to a compute plan that can be defended.

A law is an equation with named coefficients; an objective is a rho function of the residuals; a scheme says which other
tables we might have measured. One loop minimises thousands of copies at once, and every one of them ends with a status.
The names below are loaded on first use, so that importing jaxscale costs nothing and starts no backend.

Examples
--------
The examples of this package's docstrings begin with these lines: 30 simulated runs, a fit and 64 replicates.

>>> import numpy as np
>>> import jaxscale as js
>>> columns = {"params": np.geomspace(1e6, 1e9, 30), "tokens": np.full(30, 1e10)}
>>> runs = js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns=columns, noise=0.02, seed=1)
>>> fit = js.fit(runs, "pure-power-params")
>>> ensemble = js.bootstrap(fit, replicates=64)
"""

from jaxscale.cli import starting

starting.answer_signals()  # only where the program is the command, whose Ctrl-C is then answered from its first moment

import lazy_loader  # noqa: E402 - itself milliseconds in which Ctrl-C would print a traceback

from jaxscale import forks  # noqa: E402

forks.watch()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
