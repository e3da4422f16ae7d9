"""The evidence of a series: local exponents, the test of a floor, the test of a break, how far forms agree."""

from __future__ import annotations

import math

import numpy as np

from jaxscale.checking.forms import FINE, Floor, hinge, sides_of, straight_line, with_break, with_floor
from jaxscale.intervals.student import quantile
from jaxscale.results.check import Break, LocalExponents, Offset
from jaxscale.results.diagnosis import ResidualTest
from jaxscale.results.errors import spread_tests

LEVEL, CHANCE = 0.95, 0.01
"""Level of limits, and the chance below which a floor or a break is found."""
SIMULATED = 400
"""Series that are simulated under the simpler form: chances are known to a quarter of a percent."""
AT_ONCE = 2_000_000
"""Numbers in one array of simulated fits."""
WINDOW, LEAST_IN_WINDOW, MOST_WINDOWS = 6, 5, 12
"""A window has one run in so many, at least five; and at most so many windows, half overlapping."""
BEYOND = np.log(np.geomspace(1.0, 1e6, 241))
"""ln of the multiples of the largest x at which forms are compared."""


class SeriesEvidence:
    """Forms fitted to one series; x: ln (n,), rising.   y: ln loss (n,)."""

    def __init__(self, x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> None:
        self.x, self.y = x, y
        coefs, squares = straight_line(x, y[None])
        self.middle, self.slope = float(coefs[0, 0]), float(coefs[0, 1])
        self.line_squares = float(squares[0])
        self.floored, self.tested = with_floor(x, y[None], FINE), with_floor(x, y[None])
        self.floor_at = int(self.floored.best[0])
        bend = with_break(x, y[None])
        self.bend_places, self.bend_squares = bend.places, bend.squares[0]
        self._simulate(random)

    def _simulate(self, random: np.random.Generator) -> None:
        """Simulate both tests under the power law, and that of the break under the floor where one is found."""
        count = len(self.x)
        noise = math.sqrt(self.line_squares / max(count - 2, 1))
        straight = self.middle + self.slope * (self.x - self.x.mean())
        floors, bends = self._under(straight, noise, random)
        tested = min(self.line_squares, float(self.tested.squares.min()))  # on the grid of the simulated ones
        found = self._gain(self.line_squares, tested)
        self.floor_chance = (1.0 + float(np.sum(floors >= found))) / (1.0 + SIMULATED)
        if self.floor_chance < CHANCE:
            noise = math.sqrt(self.floor_squares / max(count - 3, 1))
            _, bends = self._under(self.floor_prediction, noise, random)
        gain = self._gain(tested, float(self.bend_squares.min(initial=np.inf)))
        self.bend_chance = (1.0 + float(np.sum(bends >= gain))) / (1.0 + SIMULATED)

    def _under(
        self, prediction: np.ndarray, noise: float, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what a floor and what a break gains in series simulated about a prediction."""
        chunk = max(1, AT_ONCE // (len(self.tested.exponents) * len(self.x)))
        floors, bends = [], []
        for start in range(0, SIMULATED, chunk):
            size = (min(chunk, SIMULATED - start), len(self.x))
            y = prediction + noise * random.standard_normal(size)
            plain, above = straight_line(self.x, y)[1], with_floor(self.x, y).squares.min(axis=1)
            above = np.minimum(plain, above)
            floors.append(self._gain(plain, above))
            bends.append(self._gain(above, with_break(self.x, y).squares.min(axis=1, initial=np.inf)))
        return np.concatenate(floors), np.concatenate(bends)

    def _gain(self, before: np.ndarray | float, after: np.ndarray | float) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.asarray(len(self.x) * (np.log(np.maximum(before, 1e-300)) - np.log(np.maximum(after, 1e-300))))

    @property
    def floor_squares(self) -> float:
        """Of the better of the law with a floor and the one without."""
        return min(self.line_squares, float(self.floored.squares[0, self.floor_at]))

    @property
    def floor_prediction(self) -> np.ndarray:
        """(n,) ln loss of the law with a floor."""
        return _predicted(self.floored, self.floor_at, self.x, self.x.mean())

    @property
    def noise(self) -> float:
        """Standard deviation of ln loss about the best of the forms that are found."""
        count = len(self.x)
        if self.has_break:
            return math.sqrt(float(self.bend_squares.min()) / max(count - 4, 1))
        if self.floor_chance < CHANCE:
            return math.sqrt(self.floor_squares / max(count - 3, 1))
        return math.sqrt(self.line_squares / max(count - 2, 1))

    @property
    def has_break(self) -> bool:
        """Whether the exponent changes at a point."""
        return self.bend_chance < CHANCE and self.bend_places.size > 0

    def slope_limits(self) -> tuple[float, float]:
        """Return the limits at 95 % of the exponent of the power law through all."""
        dof = len(self.x) - 2
        error = math.sqrt(self.line_squares / dof / float(np.sum((self.x - self.x.mean()) ** 2)))
        reach = quantile(LEVEL, dof) * error
        return -self.slope - reach, -self.slope + reach

    def exponents(self) -> LocalExponents:
        """Return the local exponents of windows along the series."""
        count = len(self.x)
        size = max(LEAST_IN_WINDOW, math.ceil(count / WINDOW))
        starts = np.unique(np.linspace(0, count - size, min(MOST_WINDOWS, 2 * (count // size))).round().astype(int))
        rows = [np.arange(start, start + size) for start in starts]
        rows = [one for one in rows if np.ptp(self.x[one]) > 0]
        noise, reach = self.noise, quantile(1.0 - (1.0 - LEVEL) / max(len(rows), 1), max(count - 4, 1))
        found = []
        for one in rows:
            own = self.x[one] - self.x[one].mean()
            slope = -float(own @ self.y[one]) / float(own @ own)
            half = reach * noise / math.sqrt(float(own @ own))
            middle, first, last = np.exp([self.x[one].mean(), self.x[one[0]], self.x[one[-1]]])
            found.append((middle, first, last, slope, slope - half, slope + half))
        return LocalExponents(*np.array(found).T) if found else LocalExponents(*np.empty((6, 0)))

    def offset(self) -> Offset:
        """Return the power law against the one with a floor."""
        admitted = self._admitted(self.floored.squares[0], self.floor_squares, 3)
        floor = float(self.floored.floor[0, self.floor_at])
        highest = float(self.floored.floor[0][admitted].max(initial=floor))
        above = float(self.floored.exponents[self.floor_at])
        return Offset(-self.slope, floor, highest, above, self.floor_chance, self.floor_chance < CHANCE)

    def breakpoint(self) -> Break | None:
        """Return the best break; None where there are too few places for one."""
        if not self.bend_places.size:
            return None
        lowest = float(self.bend_squares.min())
        at = int(np.argmin(self.bend_squares))
        places = np.exp(self.bend_places[self._admitted(self.bend_squares, lowest, 4)])
        before, after = sides_of(self.x, self.y, float(self.bend_places[at]))
        x = float(np.exp(self.bend_places[at]))
        low, high = float(places.min(initial=x)), float(places.max(initial=x))
        return Break(x, low, high, -before, -after, self.bend_chance, self.has_break)

    def spread(self, along: str) -> ResidualTest | None:
        """Return whether the size of the noise changes along the series, about the best of the forms that are found."""
        if self.has_break:
            basis = hinge(self.x, float(self.bend_places[int(np.argmin(self.bend_squares))]))
        elif self.floor_chance < CHANCE:
            floor = float(self.floored.floor[0, self.floor_at]) / np.exp(self.floor_prediction)
            above = 1.0 - floor
            basis = np.stack([floor, above, above * (self.x - self.x.mean())], axis=1)  # slopes in ln E, ln A and b
        else:
            basis = np.stack([np.ones_like(self.x), self.x], axis=1)
        prediction = basis @ np.linalg.lstsq(basis, self.y, rcond=None)[0]
        is_curved = not self.has_break and self.floor_chance < CHANCE
        found = spread_tests(self.y - (self.floor_prediction if is_curved else prediction), basis, {along: self.x})
        return found[0] if found else None

    def _admitted(self, squares: np.ndarray, lowest: float, coefs: int) -> np.ndarray:
        """Return which values of one coef the likelihood admits at 95 %, the others at their best."""
        dof = max(len(self.x) - coefs, 1)
        return np.asarray(squares <= lowest * (1.0 + quantile(LEVEL, dof) ** 2 / dof))

    def reach(self, tolerance: float) -> float:
        """Return up to which multiple of the largest x all admitted forms agree, to ± tolerance in ln loss.

        Those are the power law with the limits of its line, and each law with a floor whose exponent the likelihood
        admits, with the error of its level. Not farther than half of the range of ln x that the runs span.
        """
        count, dof = len(self.x), max(len(self.x) - 2, 1)
        own = self.x - self.x.mean()
        ahead = self.x[-1] + BEYOND
        straight = self.middle + self.slope * (ahead - self.x.mean())
        spread = np.sqrt(1.0 / count + (ahead - self.x.mean()) ** 2 / float(own @ own))
        half = quantile(LEVEL, dof) * math.sqrt(self.line_squares / dof) * spread
        ends = [straight - half, straight + half] if self.floor_chance >= CHANCE else []
        error = quantile(LEVEL, dof) * math.sqrt(self.floor_squares / max(count - 3, 1) / count)
        for at in np.flatnonzero(self._admitted(self.floored.squares[0], self.floor_squares, 3)):
            one = _predicted(self.floored, int(at), ahead, self.x.mean())
            ends += [one - error, one + error]
        if not ends:
            return 1.0
        apart = 0.5 * (np.max(ends, axis=0) - np.min(ends, axis=0))
        beyond = np.flatnonzero(apart > tolerance)
        farthest = float(BEYOND[beyond[0] - 1]) if beyond.size and beyond[0] > 0 else 0.0 if beyond.size else BEYOND[-1]
        return float(np.exp(min(farthest, 0.5 * np.ptp(self.x))))


def _predicted(found: Floor, at: int, x: np.ndarray, middle: float) -> np.ndarray:
    return np.asarray(np.log(found.floor[0, at] + found.scale[0, at] * np.exp(-found.exponents[at] * (x - middle))))
