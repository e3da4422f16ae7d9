"""Whether the function of a law can be called as the law declares it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from jaxscale.laws.spec import Law

SIGNATURE = "law '{name}': the function takes {found}, but the law declares inputs {inputs} and coefs {coefs}"


def check_signature(law: Law) -> None:
    """Raise UsageError unless the law's function can be called with its declared inputs and coefs by name."""
    try:
        parameters = inspect.signature(law.loss).parameters.values()
    except ValueError:  # a builtin that shows no signature: it will be tried as it is
        return
    takes = [one.name for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    is_open = any(one.kind is one.VAR_KEYWORD for one in parameters)
    required = {one.name for one in parameters if one.default is one.empty and one.name in takes}
    declared = (*law.inputs, *law.names)
    kinds = {one.name: one.kind for one in parameters}
    is_called_right = tuple(takes[: len(law.inputs)]) == law.inputs and required <= set(declared)
    is_called_right &= all(kinds.get(name) is not inspect.Parameter.KEYWORD_ONLY for name in law.inputs)
    is_called_right &= all(kinds.get(name) is not inspect.Parameter.POSITIONAL_ONLY for name in law.names)
    if not is_called_right or not (is_open or set(law.names) <= set(takes)):
        found = f"({', '.join(takes)})"
        inputs, coefs = ", ".join(law.inputs), ", ".join(law.names)
        raise UsageError(SIGNATURE.format(name=law.name, found=found, inputs=inputs, coefs=coefs))
