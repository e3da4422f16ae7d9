"""Steps against batch size among runs that reach one loss: the hyperbola between time and data."""

from __future__ import annotations

import numpy as np

from jaxscale.laws.inputs import Input
from jaxscale.laws.kaplan_single import KAPLAN
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns

BATCH = Input("batch", "B", "tokens/step", "tokens per optimiser step", 1e4, 1e7)
BEYOND = 30.0
"""How far outside the measured batches a start looks for the critical one, as a factor."""

STEPS_MIN = Coef(
    "S_min", starts=(1e3, 1e4, 1e5), meaning="fewest steps, at a batch without bound", unit="steps", span=(3e2, 3e5)
)
TOKENS_MIN = Coef(
    "E_min", starts=(1e9, 1e10, 1e11), meaning="fewest tokens, at a batch towards zero", unit="tokens", span=(1e9, 1e11)
)


def steps(batch, *, S_min, E_min):
    """S(B) = S_min + E_min/B, in steps; elementwise in B."""
    return S_min + E_min / batch


def starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 7 start points: a critical batch from far below to far above those measured, through the median steps."""
    sizes = columns["batch"]
    grid = []
    for critical in np.geomspace(np.min(sizes) / BEYOND, np.max(sizes) * BEYOND, 7):
        fewest = float(np.median(target / (1.0 + critical / sizes)))
        grid.append({"S_min": fewest, "E_min": fewest * float(critical)})
    return grid


STEPS_EXAMPLES = Law(
    name="steps-examples",
    loss=steps,
    inputs=("batch",),
    coefs=(STEPS_MIN, TOKENS_MIN),
    equation="S = S_min*(1 + B_crit/B); B_crit = E_min/S_min",
    source=KAPLAN + ", eqs. 5.1 and 5.2; McCandlish et al. 2018, arXiv 1812.06162",
    starts=starts,
    domain=(BATCH,),
    notes=(
        "The column loss holds the steps of each run; all runs of a table must have reached the same loss.",
        "The critical batch is E_min/S_min; there a run takes 2 S_min steps and 2 E_min tokens.",
        "The same as (S/S_min - 1)*(E/E_min - 1) = 1 with E = B*S tokens processed.",
    ),
    target="steps",
)

LAWS = (STEPS_EXAMPLES,)
