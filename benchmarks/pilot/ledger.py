"""The rows of the study: one per finished run, appended as it ends, so that a study goes on where it was stopped."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.pilot.network import CONTEXT, VOCABULARY, Shape
from benchmarks.pilot.training import Ended, Settings

FOLDER = Path(__file__).parent / "runs"
"""Of the committed rows."""
COLUMNS = (
    "run", "stage", "budget", "params", "params_non_embedding", "tokens", "flops", "loss", "layers", "width",
    "vocabulary", "context", "batch", "steps", "learning_rate", "seed", "seconds", "device", "commit",
)  # fmt: skip
NOTHING_FITTED = "there are no rows of the stage 'fit' yet: python -m benchmarks.pilot fit"
CURVE = ("run", "params", "tokens", "flops", "loss")


def name_of(settings: Settings, budget: float) -> str:
    """Return what a run is called; two runs of one name are one run."""
    shape = settings.shape
    words = (f"c{budget:.3g}", f"l{shape.layers}", f"d{shape.width}", f"b{settings.batch}")
    return "-".join((*words, f"r{settings.learning_rate:.3g}", f"s{settings.seed}")).replace("e+", "e")


def row_of(settings: Settings, ended: Ended, *, stage: str, budget: float, device: str, commit: str) -> dict[str, str]:
    """Return the row of a run; losses are in nats per byte, to six digits."""
    shape = settings.shape
    values = {
        "run": name_of(settings, budget),
        "stage": stage,
        "budget": f"{budget:.4g}",
        "params": shape.params,
        "params_non_embedding": shape.blocks,
        "tokens": settings.tokens,
        "flops": settings.flops,
        "loss": f"{ended.loss:.6f}",
        "layers": shape.layers,
        "width": shape.width,
        "vocabulary": VOCABULARY,
        "context": CONTEXT,
        "batch": settings.batch * CONTEXT,
        "steps": settings.steps,
        "learning_rate": f"{settings.learning_rate:.4g}",
        "seed": settings.seed,
        "seconds": f"{ended.seconds:.1f}",
        "device": device,
        "commit": commit,
    }
    return {name: str(values[name]) for name in COLUMNS}


def curve_of(settings: Settings, ended: Ended, budget: float) -> list[dict[str, str]]:
    """Return the rows of a run's curve."""
    shape, run = settings.shape, name_of(settings, budget)
    return [
        {
            "run": run,
            "params": str(shape.params),
            "tokens": str(tokens),
            "flops": str(tokens * shape.flops_per_token),
            "loss": f"{loss:.6f}",
        }
        for tokens, loss in ended.curve
    ]


def settings_of(row: Mapping[str, str]) -> Settings:
    """Return what decided the run of a row."""
    shape = Shape(int(row["layers"]), int(row["width"]))
    batch = int(row["batch"]) // int(row["context"])
    return Settings(shape, int(row["steps"]), batch, float(row["learning_rate"]), int(row["seed"]))


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file; none where there is no such file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def append(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows behind those of a file, with a header where it is new; on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, tuple(columns), lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows(rows)
        file.flush()
        os.fsync(file.fileno())
