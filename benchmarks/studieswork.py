"""What `python -m benchmarks studies` runs in processes of its own: asked line by line, it answers line by line."""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jaxscale as js
    from jaxscale.results import Studies, Study, StudyKey


def main() -> None:
    """Read what there is to do from the first line, then answer every line: one study each, or all of them at once."""
    import jaxscale as js
    from benchmarks.studies import cuts_of
    from jaxscale.engine import compiling
    from jaxscale.results import Studies

    asked = json.loads(sys.stdin.readline())
    tables = cuts_of(asked["paths"], asked["by"], asked["cuts"], asked["tables"])
    whole = Studies(tuple(tables), tuple(asked["laws"]), tuple(asked["objectives"]), {}, {}, asked["replicates"], 0)
    keys, names, compiled = list(whole), [0], compiling.compiled

    def counting(program: compiling.Program) -> object:
        names[0] += 1
        return compiled(program)

    compiling.compiled = counting  # type: ignore[assignment]
    js.fit(js.datasets.load("pilot"), "pure-power-params")  # the backend begins
    _answer({"studies": len(keys), "rows": [len(one) for one in tables.values()]})
    for line in sys.stdin:
        place, before, cpu = json.loads(line), names[0], time.process_time()
        began = time.perf_counter()
        found = _all(whole, tables) if place is None else {keys[place]: _one(whole, tables, keys[place])}
        told = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
        digests = {str(key): _digest(found.get(key)) for key in (keys if place is None else [keys[place]])}
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        _answer({**told, "programs": names[0] - before, "peak_bytes": peak, "digests": digests})


def _all(asked: Studies, tables: Mapping[str, js.Runs]) -> Mapping[StudyKey, Study]:
    import jaxscale as js

    found = js.studies(tables, asked.laws, objectives=asked.objectives, replicates=asked.replicates, seed=asked.seed)
    return found.found


def _one(asked: Studies, tables: Mapping[str, js.Runs], key: StudyKey) -> Study | None:
    import jaxscale as js
    from jaxscale.errors import RunsError, UsageError

    try:
        return js.study(
            tables[key.table], key.law, objective=key.objective, replicates=asked.replicates, seed=asked.seed
        )
    except (RunsError, UsageError):
        return None


def _digest(study: Study | None) -> str:
    """Return what a study's numbers are known by; "" for none."""
    import numpy as np

    if study is None:
        return ""
    parts: Sequence[object] = [list(study.fit.coefs.values()), study.fit.value, study.fit.residuals]
    if study.ensemble is not None:
        parts = [*parts, *study.ensemble.coefs.values(), study.ensemble.value, study.ensemble.status]
    if study.frontier is not None:
        parts = [*parts, study.frontier.params, study.frontier.loss]
    return hashlib.sha256(b"".join(np.asarray(part).tobytes() for part in parts)).hexdigest()


def _answer(words: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
