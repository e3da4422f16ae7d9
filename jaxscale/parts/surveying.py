"""How a fit is resampled, and who solves its parts, after one survey: this process, or workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.errors import UsageError
from jaxscale.finding import Finding
from jaxscale.parts.executors import Crew, Solved, each_solved
from jaxscale.parts.limits import Limits
from jaxscale.parts.solving import Bench, Description, own_of
from jaxscale.refitting.bootstrap import beside_of
from jaxscale.refitting.setup import setup_of
from jaxscale.refitting.survey import survey_of
from jaxscale.resampling import Scheme
from jaxscale.results import Fit
from jaxscale.stages import SILENT, Stages
from jaxscale.store.manifest import SURVEY_FILE, KeptPart
from jaxscale.store.surveys import Surveyed, survey_bytes, surveyed_of
from jaxscale.text import Json

NO_PARTS = "the scheme '{name}' has one replicate for each run or group, and needs no parts"
REFITTING, PART = "Refitting to resampled tables", "Part {place} of {parts}"


@dataclass(frozen=True)
class Resampling:
    """How a fit is resampled: as in `js.bootstrap`."""

    scheme: Scheme
    seed: int
    chunk: int | None
    covariance: bool
    jackknife: bool
    nested: bool | tuple[int, int]
    profile: bool
    part: int
    device: str

    @property
    def facts(self) -> dict[str, Json]:
        """What a manifest says of it; the device is none of it, which changes replicates by rounding alone."""
        nested: Json = self.nested if isinstance(self.nested, bool) else list(self.nested)
        return {
            "scheme": self.scheme.name,
            "seed": self.seed,
            "chunk": self.chunk,
            "covariance": self.covariance,
            "jackknife": self.jackknife,
            "nested": nested,
            "profile": self.profile,
            "part": self.part,
        }


@dataclass(frozen=True)
class Told:
    """Who is told of the work.

    on_part: of a part that was committed to a folder, which is locked; it may raise OSError.
    """

    stages: Stages = SILENT
    on_part: Callable[[Path, KeptPart], object] = lambda folder, part: None


@dataclass
class Solver:
    """Solves parts of one study, here or on workers.   data: the bytes of the survey; found at the first use of it."""

    fit: Fit
    asked: Resampling
    crew: Crew | None = None
    told: Told = field(default_factory=Told)
    clock: Clock = field(default_factory=Clock)
    notes: list[Finding] = field(default_factory=list)
    surveyed: Surveyed | None = None

    @cached_property
    def own(self) -> Mapping[type, tuple]:
        """The law, the objective and the scheme where they are the user's own."""
        return own_of(self.fit.law, self.fit.objective, self.asked.scheme)

    def survey(self) -> bytes:
        """Return the bytes of a new survey, and keep what they say, as every later process will read it."""
        asked, told = self.asked, self.told.stages
        with precision.float64(), placement.on(asked.device):
            setup = setup_of(self.fit, asked.scheme, asked.seed, asked.chunk, self.clock)
            found = survey_of(setup, self.clock, told)
        beside = beside_of(
            self.fit,
            asked.scheme,
            jackknife=asked.jackknife,
            nested=asked.nested,
            profile=asked.profile,
            seed=asked.seed,
            chunk=asked.chunk,
            clock=self.clock,
            device=asked.device,
            told=told,
        )
        data = survey_bytes(Surveyed(found, *beside))
        self.surveyed = surveyed_of(data, self.fit, self.own, SURVEY_FILE)
        return data

    def each(self, data: bytes, ranges: list[range], limits: Limits) -> Iterator[Solved]:
        """Yield the parts as they are solved, until all are or the limits end it.   data: the survey's bytes."""
        if not ranges or self.surveyed is None or limits.is_over():
            return
        asked, told = self.asked, self.told.stages
        if self.crew is not None:
            description = Description.of(
                self.fit, asked.scheme, data, covariance=asked.covariance, device=asked.device
            )  # fmt: skip
            told.begin(REFITTING, sum(len(rows) for rows in ranges))
            for one, notes in each_solved(self.crew, description, ranges, limits.is_over):
                self.clock.run += one.answer.seconds
                told.done(len(one.rows))
                self.notes.extend(notes)
                yield one
            return
        bench = Bench.of(self.fit, self.surveyed.survey, covariance=asked.covariance, device=asked.device)
        bench = replace(bench, clock=self.clock)
        for place, rows in enumerate(ranges, 1):
            own = told.within(PART.format(place=place, parts=len(ranges)))
            yield Solved(rows, bench.solved(rows, own), 1)
            if limits.is_over():
                return


def check_listed(scheme: Scheme) -> None:
    """Raise UsageError for a scheme whose replicates are listed: there are few of them, and no parts."""
    if scheme.is_listed:
        raise UsageError(NO_PARTS.format(name=scheme.name))
