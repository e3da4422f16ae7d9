"""A decision: one plan for every draw of the coefs, and what that costs beside the plan that each would have had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.results.information import cases_of, worth_of_knowing
from jaxscale.results.regret import Regret, RegretCurve, mean_of
from jaxscale.results.result import Result

if TYPE_CHECKING:
    import pandas as pd

    from jaxscale.laws import Law

BUILT = "buildable"
"""Among the regrets: that of the nearest model that can be built."""


@dataclass(frozen=True)
class Decision(Result):
    """The plan of the least risk within limits, and what it and others cost under every draw of the coefs.

    Attributes
    ----------
    laws
        Whose draws these are.
    law_index
        (R,) which of them each draw is of.
    draws
        For each law, name of a coef → its draws.
    params, tokens, inputs
        Of the plan; name of each further input that was chosen → its value.
    tail
        Share of the worst draws whose mean regret is the least: 1 for all, 0 for the worst one.
    risk
        That mean, in nats.
    gap
        How much less risk, in nats, any plan within the limits may have; for sums of monomials that is proved.
    evpi
        Expected value of perfect information, in nats, and its Monte-Carlo error: the least expected regret there is,
        and so the most that any further runs can be worth.
    optima
        (R, 2) params and tokens of each draw's own best plan.
    lowest
        (R,) the loss of that.
    regrets
        Name of a plan → its Regret: `best`, `plug-in` (of the point fit), and those that were given.
    built, shapes
        Which of the models that can be built has the least risk, None where none were given; and name → risk of each,
        in nats, the least first; NaN for one that keeps to the limits with no number of tokens.
    curve
        Regret against size, with further inputs as in the plan; None where the limits leave no more than one size.
    binding
        Name of a limit → share of the draws in whose own best plan it binds.
    limits
        Name → cap.
    assumed
        What was assumed that neither the laws nor the limits say.
    left_out
        Reason → how many replicates do not count.
    """

    laws: tuple[Law, ...]
    law_index: np.ndarray
    draws: tuple[Mapping[str, np.ndarray], ...]
    params: float
    tokens: float
    inputs: Mapping[str, float]
    tail: float
    risk: float
    gap: float
    evpi: tuple[float, float]
    optima: np.ndarray
    lowest: np.ndarray
    regrets: Mapping[str, Regret]
    built: str | None
    shapes: Mapping[str, float]
    curve: RegretCurve | None
    binding: Mapping[str, float]
    limits: Mapping[str, float]
    assumed: tuple[str, ...]
    left_out: Mapping[str, int]

    @property
    def best(self) -> Regret:
        """The regret of the plan."""
        return self.regrets["best"]

    @property
    def evppi(self) -> dict[str, tuple[float, float]]:
        """Expected value of knowing one thing alone, in nats, with its Monte-Carlo error: of a coef, or of the law.

        Of a single law, name of a coef → what its exact value is worth, the others as uncertain as the draws then leave
        them; of several, `law` → what knowing the right one is worth. Of what is chosen by then it is the size, along
        the curve. None is worth more than `evpi`. Empty without a curve.
        """
        if self.curve is None:
            return {}
        nats, weight = self.curve.nats, self.best.weight
        if len(self.laws) > 1:
            return {"law": worth_of_knowing(nats, weight, self.law_index)}
        known = {name: values for name, values in self.draws[0].items() if np.ptp(values) > 0}
        return {name: worth_of_knowing(nats, weight, cases_of(values, weight)) for name, values in known.items()}

    def to_frame(self) -> pd.DataFrame:
        """Return one row per plan: sizes, mean loss, and the regret in every measure, with Monte-Carlo errors."""
        import pandas as pd

        rows = []
        for name, one in self.regrets.items():
            row: dict[str, object] = {"plan": name, "params": one.params, "tokens": one.tokens}
            row["loss"] = mean_of(one.loss, one.weight)[0]
            for measure in one.measures:
                row[measure], row[f"{measure}_error"] = one.expected(measure)
            rows.append(row)
        return pd.DataFrame(rows).set_index("plan")

    def __repr__(self) -> str:
        what = {1.0: "expected regret", 0.0: "largest regret"}.get(self.tail, f"regret of the worst {self.tail:g}")
        laws = " and ".join(one.name for one in self.laws)
        sizes = f"{self.params:.4g} params, {self.tokens:.4g} tokens"
        return f"<Decision {laws}: {sizes}, {what} {self.risk:.3g} nats, {len(self.lowest):,} draws>"
