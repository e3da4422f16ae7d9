"""Studies that share programs, as a worker is asked for them and gives them back: bytes, without seconds."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jaxscale import speaking
from jaxscale.engine import tracing
from jaxscale.intervals import INTERVALS, Interval
from jaxscale.parts.solving import own_of, versions
from jaxscale.results import Study
from jaxscale.runs import Runs
from jaxscale.store.packing import packed, unpacked
from jaxscale.store.studies import study_bytes, study_of_bytes
from jaxscale.studying.batch import StudyRequest, studied

ASKED = "what a worker was asked"


class Answers(NamedTuple):
    """What a worker gives back: of every table the bytes of its study, or why it is refused.

    versions: the worker's own.   worker: its machine and process.   seconds: that it took.
    """

    told: tuple[bytes | str, ...]
    versions: Mapping[str, str]
    worker: str
    seconds: float


@dataclass(frozen=True)
class Order:
    """One request of several tables, for another process.

    request: bytes.   own: the law, the objective … that do not ship, by kind, pickled by the names of their functions.
    traces: the folder of kept traces that a worker on the same machine shares; "" for none.   is_typed: whether reasons
    name options as they are typed.
    """

    tables: tuple[Runs, ...]
    request: bytes
    own: Mapping[type, tuple]
    device: str
    versions: Mapping[str, str]
    traces: str
    is_typed: bool

    @classmethod
    def of(cls, tables: Sequence[Runs], request: StudyRequest, device: str, traces: str) -> Order:
        """Return the order of a request."""
        told = packed(request=(request, StudyRequest))
        return cls(tuple(tables), told, own_specs_of(request), device, versions(), traces, speaking.is_typing())

    def study(self, told: bytes | str) -> Study | str:
        """Return the study of an answer, or the reason."""
        return told if isinstance(told, str) else study_of_bytes(told, self.own)


def answer(order: Order) -> Answers:
    """Return the answers to an order, in any process that has this package.

    A worker with other versions of jaxscale or jax answers with these, and solves nothing.
    """
    worker, began = f"{platform.node()}:{os.getpid()}", time.perf_counter()
    if versions() != order.versions:
        return Answers((), versions(), worker, 0.0)
    if order.traces:
        tracing.keep_in(Path(order.traces))
    reader, record = unpacked(order.request, order.own, ASKED)
    request: StudyRequest = reader.field(record, "request", StudyRequest)
    with speaking.typing(order.is_typed):
        made = [studied(runs, request, order.device) for runs in order.tables]
    told = tuple(one if isinstance(one, str) else study_bytes(one) for one in made)
    return Answers(told, versions(), worker, time.perf_counter() - began)


def own_specs_of(request: StudyRequest) -> dict[type, tuple]:
    """Return what of a request does not ship, by kind."""
    own = own_of(request.law, request.objective, request.scheme)
    return {**own, Interval: () if request.interval in tuple(INTERVALS) else (request.interval,)}
