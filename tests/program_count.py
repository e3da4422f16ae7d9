"""Counts the distinct programs that a run of the tests compiles, in all its workers, and holds them to a budget."""

import hashlib
import os
import threading
from collections import Counter

import jax
import pytest

from jaxscale.engine import compiling
from jaxscale.laws import Law
from jaxscale.solvers.problem import Problem

BUDGET = 65
"""Most distinct solve programs of a default run: each costs 4 to 15 CPU seconds, with the number of coefs. Of 48 some
are counted twice, since JAX may write the same function differently after others."""
SOLVES = {"solve_chunk"}
"""The functions of the engine that move lanes: the programs that cost most."""
LAST = "jaxscale/solve-programs"
"""Where pytest's cache keeps the solve programs of the last default run that passed."""
TOO_MANY = """\
{count} solve programs are more than the budget of {budget} in tests/program_count.py: fit a law and a number of rows
that other tests fit too, or mark the test slow. New since the last default run that passed:"""


class ProgramCount:
    """A plugin that notes of every program its function, what is bound, its shapes, and the test that first needed it.

    Programs are told apart by the text that the compiler is given: one that two workers need, or that is read from a
    kept folder, counts once.
    """

    def __init__(self, config):
        self.config, self.found, self.current = config, {}, threading.local()

    @property
    def is_held(self):
        """Whether the run is the default one, of all that is not slow."""
        options = self.config.option
        return self.config.args_source.name == "TESTPATHS" and options.markexpr == "not slow" and not options.keyword

    @property
    def solves(self):
        """The digests of solve programs, in the order in which they were first needed."""
        return [digest for digest, (function, *_) in self.found.items() if function in SOLVES]

    def watch(self):
        """Note from now on what the engine compiles."""
        compiled, compile_lowered = compiling.compiled, jax.stages.Lowered.compile

        def watched(program):
            self.current.program = program
            try:
                return compiled(program)
            finally:
                self.current.program = None

        def noted(lowered, *given, **named):
            program = getattr(self.current, "program", None)
            if program is not None and program.function.__module__.startswith("jaxscale."):
                digest = hashlib.sha256(lowered.as_text().encode()).hexdigest()
                self.found.setdefault(digest, [program.function.__name__, described(program), current_test()])
            return compile_lowered(lowered, *given, **named)

        compiling.compiled, jax.stages.Lowered.compile = watched, noted

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        for digest, noted in getattr(node, "workeroutput", {}).get("programs", {}).items():
            self.found.setdefault(digest, noted)

    def pytest_sessionfinish(self, session, exitstatus):
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["programs"] = self.found
        elif self.is_held and len(self.solves) > BUDGET:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        elif self.is_held and exitstatus == pytest.ExitCode.OK:
            self.config.cache.set(LAST, self.solves)

    def pytest_terminal_summary(self, terminalreporter):
        for line in self.lines():
            terminalreporter.write_line(line)

    def lines(self):
        """Yield what the end of a run says: how many, all of them if asked for, and what is new beyond the budget."""
        if self.found:
            counts = Counter(function for function, *_ in self.found.values()).most_common()
            yield f"programs: {len(self.found)} distinct, {', '.join(f'{count} {name}' for name, count in counts)}"
        if self.config.option.programs:
            yield from sorted("  ".join(noted) for noted in self.found.values())
        if self.is_held and len(self.solves) > BUDGET:
            known = set(self.config.cache.get(LAST, []))
            yield TOO_MANY.format(count=len(self.solves), budget=BUDGET)
            yield from ("  ".join(self.found[digest][1:]) for digest in self.solves if digest not in known)


def current_test():
    """Return the test that runs, without its phase."""
    return os.environ.get("PYTEST_CURRENT_TEST", "no test").rpartition(" (")[0]


def described(program):
    """Return what is bound to a program, by names, and the shapes of its arguments."""
    words = [word for part in program.static for word in named(part)]
    shapes = Counter("×".join(map(str, shape)) for shape, _ in program.shapes)
    return f"{' '.join(words)} [{' '.join(f'{n}:{shape}' if n > 1 else shape for shape, n in shapes.items())}]"


def named(part):
    """Yield the names by which a static part is known."""
    if isinstance(part, Problem):
        residual = part.residual if part.share is None else part.share.residual
        yield from (law.name for law in held(residual, Law))
        yield from held(residual, str)
        yield getattr(part.rho, "__name__", type(part.rho).__name__).removesuffix("_rho")
    else:
        yield str(getattr(part, "name", None) or getattr(part, "__name__", None) or type(part).__name__)


def held(function, kind):
    """Yield what a function's closure, and those of the functions in it, hold of a kind."""
    for cell in getattr(function, "__closure__", None) or ():
        if isinstance(cell.cell_contents, kind):
            yield cell.cell_contents
        elif callable(cell.cell_contents):
            yield from held(cell.cell_contents, kind)
