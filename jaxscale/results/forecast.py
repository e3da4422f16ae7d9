"""A forecast: losses of runs written down before these are made; and how it came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.results.result import Result
from jaxscale.text import Json

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Forecast(Result):
    """What a study predicts of runs, with all that names the study.

    Attributes
    ----------
    inputs
        Name of an input → (n,).
    loss
        (n,) that the point fit predicts.
    mean_low, mean_high
        (n,) limits of the law's mean.
    run_low, run_high
        (n,) limits of a new run, whose own spread is in them.
    log_std
        (n,) standard deviation of the logarithm of a new run's loss.
    slope
        (n,) nats by which the least loss falls per unit of ln C at the run's compute; NaN without a frontier.
    level
        Of the limits.
    study
        Digest of the table and the options behind it.
    source
        Name of the table.
    made
        Date, ISO 8601.
    facts
        Name → value, of law, coefs, scheme, interval, replicates, seed and versions.
    """

    inputs: Mapping[str, np.ndarray]
    loss: np.ndarray
    mean_low: np.ndarray
    mean_high: np.ndarray
    run_low: np.ndarray
    run_high: np.ndarray
    log_std: np.ndarray
    slope: np.ndarray
    level: float
    study: str
    source: str
    made: str
    facts: Mapping[str, Json]

    def __len__(self) -> int:
        return len(self.loss)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per run: its inputs, the loss predicted, and the limits of the law's mean and of a new run."""
        import pandas as pd

        limits = ("loss", "mean_low", "mean_high", "run_low", "run_high")
        return pd.DataFrame({**self.inputs, **{name: getattr(self, name) for name in limits}})

    def __repr__(self) -> str:
        return f"<Forecast {self.facts['law']}: {len(self)} runs, {self.made}, study {self.study}>"


@dataclass(frozen=True)
class Score(Result):
    """How a forecast came out: of every run that was made, in the table's order.

    Attributes
    ----------
    forecast
        What was written down.
    row
        (k,) of the table, counted as its reader counts.
    place
        (k,) which of the forecast's runs each is.
    loss
        (k,) as measured.
    unmade
        Places of the forecast of which the table has no run.
    others
        How many runs of the table are none of the forecast's.
    """

    forecast: Forecast
    row: np.ndarray
    place: np.ndarray
    loss: np.ndarray
    unmade: tuple[int, ...]
    others: int

    @property
    def error(self) -> np.ndarray:
        """(k,) the logarithm of the measured loss over the predicted one."""
        error: np.ndarray = np.log(self.loss / self.forecast.loss[self.place])
        return error

    @property
    def in_mean(self) -> np.ndarray:
        """(k,) whether the loss is within the limits of the law's mean."""
        return self._within(self.forecast.mean_low, self.forecast.mean_high)

    @property
    def in_run(self) -> np.ndarray:
        """(k,) whether it is within those of a new run."""
        return self._within(self.forecast.run_low, self.forecast.run_high)

    @property
    def log_score(self) -> np.ndarray:
        """(k,) the logarithm of the density of the measured ln loss, normal about the predicted one."""
        std = self.forecast.log_std[self.place]
        score: np.ndarray = -0.5 * (self.error / std) ** 2 - np.log(std * np.sqrt(2.0 * np.pi))
        return score

    @property
    def compute_ratio(self) -> np.ndarray:
        """(k,) how many times the run's compute the measured loss is worth: below 1 where it came out worse.

        By the slope of the least loss in ln C: exp((predicted - measured) / slope).
        """
        at = self.place
        with np.errstate(over="ignore", divide="ignore"):  # where more compute lowers the loss by next to nothing
            ratio: np.ndarray = np.exp((self.forecast.loss[at] - self.loss) / self.forecast.slope[at])
        return ratio

    def _within(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return (low[self.place] <= self.loss) & (self.loss <= high[self.place])

    def to_frame(self) -> pd.DataFrame:
        """Return one row per run: its inputs, the loss predicted and measured, and the scores."""
        import pandas as pd

        one = self.forecast
        columns = {name: column[self.place] for name, column in one.inputs.items()}
        columns |= {"predicted": one.loss[self.place], "measured": self.loss, "error": self.error}
        columns |= {"in_mean": self.in_mean, "in_run": self.in_run}
        columns |= {"log_score": self.log_score, "compute_ratio": self.compute_ratio}
        return pd.DataFrame(columns, index=pd.Index(self.row, name="row"))

    def __repr__(self) -> str:
        inside = f"{int(self.in_run.sum())} of {len(self.loss)} within the band of a new run"
        return f"<Score of {self.forecast!r}: {inside}, {int(self.in_mean.sum())} within the law's>"
