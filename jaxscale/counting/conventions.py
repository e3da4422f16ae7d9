"""Every convention of counting by name."""

from __future__ import annotations

from jaxscale.counting import deepseek, hoffmann, kaplan, palm, rules, sizes
from jaxscale.counting.spec import Convention
from jaxscale.registry import Registry

CONVENTIONS: Registry[Convention] = Registry(
    "convention", [one for file in (rules, sizes, kaplan, hoffmann, palm, deepseek) for one in file.CONVENTIONS]
)
