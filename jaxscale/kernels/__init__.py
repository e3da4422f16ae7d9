"""The pass over the rows once more, fused by hand for accelerators; each file names the function that it must equal.

`choose` says which form a device gets, and why; the plain one wherever the other was not measured to be faster.
"""

from jaxscale.kernels.choose import Choice, choose

__all__ = ["Choice", "choose"]
