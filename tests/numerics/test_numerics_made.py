"""What is kept is one object for all threads, since a program is known by the functions in it."""

import threading
import time

from jaxscale.numerics.made import kept


def test_threads_that_ask_at_once_get_one_object():
    made = []

    @kept(8)
    def make(word):
        """Return something that is new each time."""
        made.append(word)
        time.sleep(0.02)
        return object()

    found = []
    threads = [threading.Thread(target=lambda: found.append(make("a"))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert made == ["a"]
    assert len(set(map(id, found))) == 1
    assert make("b") is not found[0]
    assert make.__doc__.startswith("Return something")


def test_a_kept_function_may_ask_for_itself():
    @kept(8)
    def factorial(count):
        return 1 if count == 0 else count * factorial(count - 1)

    assert factorial(5) == 120
