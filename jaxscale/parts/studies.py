"""`js.studies`: every study of several tables, laws and objectives, in memory or kept one by one, also by workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from jaxscale import stopping
from jaxscale.engine.together import side_by_side
from jaxscale.errors import StoreError
from jaxscale.finding import Finding
from jaxscale.intervals import Interval
from jaxscale.laws import Law
from jaxscale.names import REPLICATES
from jaxscale.objectives import Objective
from jaxscale.parts.batches import Order, answer
from jaxscale.parts.executors import Crew, Task, each_back
from jaxscale.parts.making import REMADE
from jaxscale.parts.solving import versions
from jaxscale.resampling import Scheme
from jaxscale.results import Studies, Study, StudyKey
from jaxscale.runs import Runs
from jaxscale.stages import Stages
from jaxscale.store.commits import locked
from jaxscale.store.folder import absolute_path, told_reasons
from jaxscale.store.listing import Listed, batch_facts, begun, check_free_for_studies, folder_names, write_list
from jaxscale.store.saving import loaded_study
from jaxscale.store.studies import keep_study, tidy
from jaxscale.studying.batch import StudyBatch, studied, study_batch
from jaxscale.text import counted, shown_name

STAGE = "Studies"
TOGETHER = 16
"""Most studies that a worker is asked for at a time: what is lost with it, of those that share its programs."""

AT_WORK = "{place}: another process is at work on these studies, and only one may be; wait for its end"


def studies(
    tables: Mapping[str, Runs] | Sequence[Runs],
    laws: Sequence[Law | str] = ("chinchilla",),
    *,
    objectives: Sequence[Objective | str] = ("huber",),
    spaces: Sequence[str] | None = None,
    scheme: Scheme | str = "pairs",
    replicates: int = REPLICATES,
    seed: int = 0,
    budgets: Sequence[float] = (),
    at: Mapping[str, float] | None = None,
    level: float = 0.95,
    interval: Interval | str = "percentile",
    device: str = "auto",
    folder: str | Path | None = None,
    executor: Executor | str | None = None,
    force: bool = False,
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    on_done: Callable[[int], object] = lambda count: None,
) -> Studies:
    """Make the study of every table by every law under every objective: each as `js.study` makes it, to the bit.

    One that is refused is kept with its reason, and stops no other.

    Parameters
    ----------
    tables
        Name → table; or tables, which then have the names of their files. `js.studying.by_groups` makes them of one.
    laws
        Laws, or their names.
    objectives
        Objectives, or their names.
    spaces
        `log` and `linear`: every objective in each of these; by default each is taken in its own.
    scheme, replicates, seed
        As in `js.study`, the same for every study.
    budgets
        Budgets (b,) of every frontier, in FLOP; without any, multiples of the largest measured compute of each table.
    at
        The inputs of any of the laws that no budget decides, name → value.
    level, interval
        The share of every band, and how its ends are found.
    device
        Where to compute: auto, cpu, gpu or tpu.
    folder
        Where every study is kept as soon as it is made, each as `js.save` writes it, so that the same call goes on
        where it was interrupted; `js.store.load_studies` reads it. One process at a time works in it. None for memory.
    executor
        Who makes them: any `concurrent.futures.Executor`, `processes` or `processes:N` for processes of this machine,
        or `module:factory`, of a function that returns an executor. None for this process.
    force
        Whether studies that were asked for by something else may be replaced in the folder.
    on_stage, on_done
        Told how many studies are to be made, and how many more are done.

    Returns
    -------
    Studies
        A study for every combination, or the reason why there is none.

    Raises
    ------
    UsageError
        For unknown names, names that are given twice, and values that are impossible.
    MissingDependencyError
        For a device that is not there.
    StoreError
        For a folder that holds something else, in which another process is at work, or that cannot be written.
    JaxscaleError
        For studies that were lost three times on an executor, and for a worker with other versions.

    Notes
    -----
    A program belongs to a law, an objective and a bucket of rows. Studies that need the same ones follow one another,
    whatever their order here, so that each is compiled once; several such groups are at work at a time. A worker is
    asked for up to 16 of a group. In a folder, and from a worker, a study has no seconds in its provenance.

    Examples
    --------
    >>> halves = {"small": runs.where("params < 3e7"), "large": runs.where("params > 3e7")}
    >>> found = js.studies(halves, ["pure-power-params"], replicates=64)
    >>> [key.table for key in found if found.status(key) == "converged"]
    ['small', 'large']

    In a folder, from which the same call takes what is there:

    >>> kept = js.studies(halves, ["pure-power-params"], replicates=64, folder="halves")
    >>> one = js.load("halves/large-pure-power-params-huber")
    >>> one.fit.coefs == kept["large", "pure-power-params", "huber"].fit.coefs
    True
    """
    batch = study_batch(
        tables, laws, objectives=objectives, spaces=spaces, scheme=scheme, replicates=replicates, seed=seed,
        budgets=budgets, at=at, level=level, interval=interval,
    )  # fmt: skip
    crew = None if executor is None else Crew.of(executor)
    work = Workshop(batch, device, crew, Stages(on_stage, on_done), folder is not None)
    if folder is not None:
        return _in_folder(absolute_path(folder), work, force=force)
    made: dict[StudyKey, Study | str] = {}
    notes = work.each(list(batch.unmade), made.__setitem__)
    found = {key: made[key] for key in batch.unmade}  # in their order, whatever that of the answers
    return replace(
        batch.unmade,
        found={key: one for key, one in found.items() if isinstance(one, Study)},
        failed={key: one for key, one in found.items() if isinstance(one, str)},
        findings=notes,
    )


@dataclass(frozen=True)
class Workshop:
    """Who makes the studies of a batch, and who is told.   is_kept: whether what workers are at is waited for."""

    batch: StudyBatch
    device: str
    crew: Crew | None
    told: Stages
    is_kept: bool

    def each(
        self, keys: Sequence[StudyKey], on_answer: Callable[[StudyKey, Study | str], object]
    ) -> tuple[Finding, ...]:
        """Have studies made, and tell in this thread of each as it comes; return what there is to say of the work."""
        self.told.begin(STAGE, len(keys))
        alike = [self.batch.programs(key) for key in keys]
        if self.crew is not None:
            return self._ordered(self.crew, keys, alike, on_answer)
        tables, batch = self.batch.tables, self.batch
        side_by_side(
            [partial(studied, tables[key.table], batch.request(key), self.device) for key in keys],
            alike,
            self.told.done,
            lambda place, one: on_answer(keys[place], one),
        )
        return ()

    def _ordered(
        self,
        crew: Crew,
        keys: Sequence[StudyKey],
        alike: Sequence[object],
        on_answer: Callable[[StudyKey, Study | str], object],
    ) -> tuple[Finding, ...]:
        """Have studies made by workers, several that share programs at a time."""
        groups: dict[object, list[StudyKey]] = {}
        for key, one in zip(keys, alike, strict=True):
            groups.setdefault((one, key.law, key.objective), []).append(key)
        shares = [share for group in groups.values() for share in _shares(group)]
        orders, names = [], []
        for share in shares:
            request, tables = self.batch.request(share[0]), [self.batch.tables[key.table] for key in share]
            orders.append(Order.of(tables, request, self.device, crew.traces))
            names.append(f"{counted(len(share), 'study', 'studies')} from {share[0]} on")
        tasks = [Task(name, answer, (order,)) for name, order in zip(names, orders, strict=True)]
        notes: list[Finding] = []
        with stopping.finishing() if self.is_kept else nullcontext():
            for back in each_back(crew, tasks, versions(), stopping.is_stopping):
                for key, told in zip(shares[back.place], back.answer.told, strict=True):
                    on_answer(key, orders[back.place].study(told))
                self.told.done(len(shares[back.place]))
                notes.extend(back.note(names[back.place]))
        stopping.stop_if_asked()
        return tuple(notes)


def _in_folder(folder: Path, work: Workshop, *, force: bool) -> Studies:
    """Return the studies of a folder, after those that are not there were made, each kept as soon as it was."""
    check_free_for_studies(folder, force=force)
    with told_reasons(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder, AT_WORK):
        check_free_for_studies(folder, force=force)
        batch = work.batch
        listed = begun(folder, batch.unmade, batch_facts(batch, versions()), force=force)
        tidy(folder)
        found, notes = _there(folder, listed, batch)
        listed = replace(listed, there=frozenset(found))
        names = folder_names(listed.whole)

        def keep(key: StudyKey, one: Study | str) -> None:
            nonlocal listed
            if isinstance(one, Study):
                keep_study(folder / names[key], one)
                found[key] = loaded_study(folder / names[key], batch.own)
                listed = listed.with_study(key)
            else:
                listed = listed.with_reason(key, one)
            write_list(folder, listed)

        if listed.left:
            notes += work.each(listed.left, keep)
        told = {key: found[key] for key in listed.whole if key in found}
        return replace(listed.whole, found=told, findings=tuple(notes))


def _there(folder: Path, listed: Listed, batch: StudyBatch) -> tuple[dict[StudyKey, Study], tuple[Finding, ...]]:
    """Return the studies that are in their folders, and a finding for each whose folder is damaged."""
    found, notes, names = dict[StudyKey, Study](), list[Finding](), folder_names(listed.whole)
    for key in listed.there:
        try:
            found[key] = loaded_study(folder / names[key], batch.own)
        except StoreError as error:
            reason = str(error).splitlines()[0].partition(": ")[2]
            place = shown_name(str(folder / names[key]))
            notes.append(Finding("part-remade", REMADE.format(place=place, reason=reason)))
    return found, tuple(notes)


def _shares(group: Sequence[StudyKey]) -> list[tuple[StudyKey, ...]]:
    """Return a group divided into shares as equal as they can be, of at most TOGETHER."""
    count = -(-len(group) // TOGETHER)
    size = -(-len(group) // count)
    return [tuple(group[start : start + size]) for start in range(0, len(group), size)]
