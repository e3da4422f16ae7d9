"""Ctrl-C and SIGTERM in a process of the command: one line, the right exit code, and nothing lost that was finished.

Each process sets the handlers that it starts with, so that it does not matter who started the tests.
"""

import os
import signal
import subprocess
import sys
import time

import pytest

from jaxscale.cli.starting import STOPPING
from jaxscale.store import load

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signals of POSIX here")

QUICK = ("fit", "--replicates", "20", "--law", "pure-power", "--flops", "1e12", "--out", "out/kept")
ENDS = [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
LATER = ("lazy_loader", "jaxscale.cli.laws", "jaxlib")
"""Modules whose import is interrupted in the slow tests alone: each is a process of its own."""
HEARD = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
COMMAND = "from jaxscale.cli.main import main\n"
STUCK = """
import ctypes
from jaxscale.studying import making

def stuck(*given, **named):
    print("stuck", flush=True)
    lock, mutex = ctypes.CDLL(None).pthread_mutex_lock, ctypes.create_string_buffer(128)
    lock(mutex), lock(mutex)  # as inside a compiler: it holds the thread, and no signal ends it

making.{step} = stuck
"""
PART = """
import time
from jaxscale import stopping
from jaxscale.studying import making

def parts(*given, **named):
    with stopping.finishing():
        print("part", flush=True)
        while not stopping.is_stopping():
            time.sleep(0.01)
        time.sleep({rest})
        print("committed", flush=True)
    stopping.stop_if_asked()

making.fit = parts
"""
AT_IMPORT = """
import os, sys

class Interrupting:
    def find_spec(name, path, target=None):
        if name == "{module}":
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Interrupting)
"""


@pytest.fixture
def start(own_folder, cache_folder):
    """Return a function that starts a program with a command line; what is left of it ends with the test."""
    running = []

    def begin(code, *words):
        environment = {**os.environ, "JAXSCALE_CACHE_DIR": str(cache_folder)}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
        running.append(subprocess.Popen([sys.executable, "-c", code, *words], env=environment, **streams))
        return running[-1]

    yield begin
    for one in running:
        one.kill()
        one.communicate()


@pytest.fixture
def stuck(start):
    """Return a function that starts a fit and comes back when its step hangs in C, with the process."""

    def begin(step, prelude=HEARD):
        process = start(f"{prelude}{COMMAND}{STUCK.format(step=step)}main()", *QUICK)
        assert process.stdout.readline() == "stuck\n", process.stderr.read()
        return process

    return begin


def ended(process):
    """Return the exit code and what was said on stderr."""
    _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.parametrize(("number", "code", "line"), ENDS)
def test_a_part_that_is_being_made_is_finished_first(start, number, code, line):
    process = start(f"{HEARD}{COMMAND}{PART.format(rest=0)}main()", *QUICK)
    assert process.stdout.readline() == "part\n"
    process.send_signal(number)
    out, said = process.communicate(timeout=60)
    assert (process.returncode, out, said) == (code, "committed\n", f"{STOPPING}\n{line}\n")


def test_a_second_interrupt_does_not_wait_for_the_part(start):
    process = start(f"{HEARD}{COMMAND}{PART.format(rest=3600)}main()", *QUICK)
    assert process.stdout.readline() == "part\n"
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline() == f"{STOPPING}\n"
    process.send_signal(signal.SIGINT)
    assert ended(process) == (130, "interrupted\n")


@pytest.mark.parametrize(("number", "code", "line"), ENDS)
def test_a_signal_is_answered_while_c_code_holds_the_main_thread(stuck, number, code, line):
    process = stuck("fit")
    process.send_signal(number)
    assert ended(process) == (code, f"{line}\n")


@pytest.mark.parametrize("pause", [0.0, pytest.param(0.01, marks=pytest.mark.slow)])
@pytest.mark.parametrize("step", ["fit", "resample"])
def test_a_second_interrupt_ends_the_process_with_the_same_one_line(stuck, own_folder, step, pause):
    process = stuck(step)
    process.send_signal(signal.SIGINT)
    time.sleep(pause)
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert code == 130
    assert said in ("interrupted\n", "interrupted; the fit without bands is in out/kept\n")
    if (own_folder / "out" / "kept").exists():  # whole, if at all
        load(own_folder / "out" / "kept")


@pytest.mark.parametrize(("number", "code", "line"), ENDS)
def test_a_fit_that_was_done_is_saved_before_the_process_ends(stuck, own_folder, number, code, line):
    process = stuck("resample")
    process.send_signal(number)
    assert ended(process) == (code, f"{line}; the fit without bands is in out/kept\n")
    saved = load(own_folder / "out" / "kept")
    assert saved.fit.is_usable
    assert saved.ensemble is None
    assert os.listdir(own_folder / "out") == ["kept"]


def test_a_fit_that_cannot_be_saved_is_no_reason_to_stay(stuck, own_folder):
    process = stuck("resample")
    (own_folder / "out").write_text("a file where a folder must be")
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert code == 130
    assert said.startswith("interrupted; ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(("number", "code", "line"), ENDS)
@pytest.mark.parametrize(
    "module", ["click", "jaxscale.fitting", *(pytest.param(name, marks=pytest.mark.slow) for name in LATER)]
)
def test_a_signal_while_modules_are_imported_ends_in_one_line(start, module, number, code, line):
    process = start(f"{HEARD}{AT_IMPORT.format(module=module, number=int(number))}{COMMAND}main()", *QUICK)
    assert ended(process) == (code, f"{line}\n")


def test_an_interrupt_that_the_parent_ignores_stays_ignored(stuck):
    """As in a background job of a shell, or under nohup."""
    process = stuck("fit", "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n")
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGTERM)
    assert ended(process) == (143, "terminated\n")


@pytest.mark.parametrize(
    "importing",
    ["import jaxscale", "import jaxscale\nfrom jaxscale.cli.main import main", "from jaxscale.cli.main import main"],
)
def test_a_program_that_only_imports_jaxscale_keeps_its_own_handlers(start, importing):
    code = f"{HEARD}{importing}\nimport signal\nprint([signal.getsignal(one) for one in (2, 15)])"
    said, _ = start(code).communicate(timeout=60)
    assert said == f"{[signal.default_int_handler, signal.SIG_DFL]}\n"
