"""Messages in Python: the fix that one proposes is an argument of Python, and works on that table."""

import ast
import re

import pandas as pd
import pytest

import jaxscale as js
from jaxscale import speaking
from jaxscale.finding import Finding
from jaxscale.speaking import spoken

SAID = {
    "--map params=COLUMN --map loss='1 - acc'": "map={'params': 'COLUMN', 'loss': '1 - acc'}",
    'leave it out: --where "row != 3"': "leave it out: where=['row != 3']",
    "--where 'a < 3' --where 'b < 4'": "where=['a < 3', 'b < 4']",
    "--missing drop leaves rows out": "missing='drop' leaves rows out",
    "--scale tokens=1e9, or --units-ok if plain": "scale={'tokens': 1e9}, or units_ok=True if plain",
    "--decimal , reads 3,14; --thousands , reads 1,000": "decimal=',' reads 3,14; thousands=',' reads 1,000",
    "use --scheme cluster --group run": "use scheme='cluster', group='run'",
    "name its encoding: --encoding latin-1.": "name its encoding: encoding='latin-1'.",
    "say with --map which column is loss": "say with map= which column is loss",
    "--where: unknown column 'los'": "where: unknown column 'los'",
    "--lowest-per params,tokens@1/3": "lowest_per={'params': 1, 'tokens': 1/3}",
    "--per-group E,A": "per_group=['E', 'A']",
    "try: jaxscale fit runs.csv --final": "try: jaxscale fit runs.csv --final",
    "install it with uv sync --extra parquet": "install it with uv sync --extra parquet",
    "an --unheard-of option": "an --unheard-of option",
}


@pytest.mark.parametrize("typed", SAID)
def test_an_option_is_said_as_the_argument_of_its_name(typed):
    assert spoken(typed) == SAID[typed]
    with speaking.typing():
        assert spoken(typed) == typed


def test_an_exception_says_it_in_python_and_the_command_line_as_it_is_typed():
    error = js.RunsError("Say which one it is: --map loss=val")
    assert str(error) == "Say which one it is: map={'loss': 'val'}"
    with speaking.typing():
        assert str(error) == "Say which one it is: --map loss=val"


FULL = {"params": [1e8, 2e8, 3e8], "tokens": [1e10, 2e10, 3e10], "loss": [3.0, 2.5, 2.4]}
TABLES = {
    "two-losses": {**FULL, "eval_loss": [3.1, 2.6, 2.5]},
    "units": {**FULL, "params": ["100M", "200M", "300M"]},
    "missing": {**FULL, "loss": [3.0, None, 2.4]},
    "tokens-in-billions": {"params": FULL["params"], "tokens (B)": [10.0, 20.0, 30.0], "loss": FULL["loss"]},
    "no-loss-but-accuracy": {"params": FULL["params"], "tokens": FULL["tokens"], "accuracy": [0.1, 0.2, 0.3]},
    "thousands": {**FULL, "params": ["1,000,000", "2,000,000", "3,000,000"]},
}


@pytest.mark.parametrize("name", TABLES)
def test_what_a_refusal_proposes_is_python_and_reads_the_table(name):
    """Every argument in the message is evaluated, as it stands, and one of them or all together read the table."""
    frame = pd.DataFrame(TABLES[name])
    with pytest.raises(js.RunsError) as told:
        js.Runs.from_frame(frame)
    assert not re.search(r"(?<!\w)--\w", str(told.value))
    found = re.findall(r"\b(\w+)=(\{[^}]*\}|\[[^\]]*\]|'[^']*'|True)", str(told.value))
    assert found, str(told.value)
    options = {}
    for key, text in found:
        value = ast.literal_eval(text)
        options[key] = {**options[key], **value} if isinstance(options.get(key), dict) else options.get(key, value)
    assert len(read(frame, options)) >= 2


def read(frame, options):
    thousands = {key: options.pop(key) for key in ("thousands", "decimal") if key in options}
    if thousands:  # of text in a file: a frame has none
        frame = frame.map(lambda cell: cell.replace(",", "") if isinstance(cell, str) else cell)
    return js.Runs.from_frame(frame, **options)


def test_a_finding_that_is_printed_speaks_as_its_surroundings_do():
    finding = Finding("trajectory-rows", "keep the last row of each run: --final")
    assert str(finding) == "trajectory-rows: keep the last row of each run: final=True"
    with speaking.typing():
        assert str(finding).endswith("each run: --final")
