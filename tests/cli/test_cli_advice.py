"""Every option that a message names runs on the very table that raised the message.

A walk: each table is fitted, every message is searched for options of the command, and each is typed behind the same
command. A name in capitals, as COLUMN, is for the reader to fill in, and is not typed.
"""

import json
import re
import shlex

import click
import numpy as np
import pytest

from jaxscale.cli.main import main

OPTIONS = {name: option for option in main.commands["fit"].params for name in option.opts if name.startswith("--")}
TO_FILL_IN = re.compile(r"\b(COLUMN|NUMBER|FORMULA|NAME|FILE|CHAR|TEXT)\b")
FIT = ("--replicates", "0", "--flops", "1e20", "--yes-extrapolate", "--force", "--out", "result", "--json")
GRID = [(n, d) for n in (3e7, 6e7, 1.2e8, 2.4e8, 4.8e8) for d in (1e9, 4e9, 1.6e10)]
NOISE = 0.004 * np.random.default_rng(7).standard_normal(len(GRID))
LOSSES = [(1.8 + 480 / n**0.34 + 2100 / d**0.37) * np.exp(e) for (n, d), e in zip(GRID, NOISE, strict=True)]


def rows(header, *columns):
    return header + "\n" + "\n".join(",".join(str(cell) for cell in row) for row in zip(*columns, strict=True)) + "\n"


PARAMS, TOKENS = zip(*GRID, strict=True)
MADE = {
    "params in millions": rows("params,tokens,loss", [n / 1e6 for n in PARAMS], TOKENS, LOSSES),
    "compute in PF-days": rows(
        "params,flops,loss", PARAMS, [6 * n * d / 8.64e19 for n, d in GRID], LOSSES
    ),
    "a perplexity": rows("params,tokens,ppl", PARAMS, TOKENS, np.exp(LOSSES)),
    "a perplexity called loss": rows("params,tokens,loss", PARAMS, TOKENS, np.exp(LOSSES)),
    "an accuracy": rows("params,tokens,acc", PARAMS, TOKENS, [1 - 0.2 * loss for loss in LOSSES]),
    "two sizes": rows("params,tokens,loss", PARAMS[:6], TOKENS[:6], LOSSES[:6]),
    "semicolons": rows("params,tokens,loss", PARAMS, TOKENS, LOSSES).replace(",", ";"),
    "thousands": rows("params,tokens,loss", [f'"{n:,.0f}"' for n in PARAMS], TOKENS, LOSSES),
    "suffixes": rows("params,tokens,loss", [f"{n / 1e6:g}M" for n in PARAMS], TOKENS, LOSSES),
    "a missing loss": rows("params,tokens,loss", PARAMS, TOKENS, ["nan", *LOSSES[1:]]),
    "checkpoints": rows("run,params,tokens,loss", [f"r{n:g}" for n in PARAMS], PARAMS, TOKENS, LOSSES),
    "planned tokens": rows("run,step,params,tokens,loss", np.repeat([f"r{i}" for i in range(15)], 3), [1, 2, 3] * 15,
                           np.repeat(PARAMS, 3), np.repeat(TOKENS, 3), np.repeat(LOSSES, 3) * ([1.1, 1.05, 1.0] * 15)),
    "runs under another name": rows("trial_label,step,params,tokens,loss", np.repeat([f"r{i}" for i in range(15)], 3),
                                    [1, 2, 3] * 15, np.repeat(PARAMS, 3), np.outer(TOKENS, [0.5, 0.7, 1.0]).ravel(),
                                    np.repeat(LOSSES, 3) * ([1.1, 1.05, 1.0] * 15)),
    "bits and units in headers": rows("params_millions,tokens (B),loss_bits", [n / 1e6 for n in PARAMS],
                                      [d / 1e9 for d in TOKENS], np.divide(LOSSES, np.log(2))),
    "seeds": rows("seed,params,tokens,loss", [1, 2] * 15, np.repeat(PARAMS, 2), np.repeat(TOKENS, 2),
                  np.repeat(LOSSES, 2) * np.tile([1.0, 1.002], 15)),
    "a diverged run": rows("params,tokens,loss", PARAMS, TOKENS, [*LOSSES[:-1], 9.5]),
    "steps and batches": rows("params,steps,batch_size,seq_len,loss", PARAMS, [d / 2**20 for d in TOKENS],
                              [512] * 15, [2048] * 15, LOSSES),
    "errors as weights": rows("params,tokens,loss,sigma", PARAMS, TOKENS, LOSSES, [0.01] * 15),
    "a ray": rows("params,tokens,loss", PARAMS, [20 * n for n in PARAMS], [x + 1e-3 * i for i, x in enumerate(LOSSES)]),
}  # fmt: skip
VALUE = r"[= ]((?:\"[^\"]*\"|'[^']*'|[^\s\"';,]|,(?=\S)|;(?=\S))+)"
"""What follows an option: words in quotes, or letters up to a space or the end of a clause."""
WITHOUT = ("two sizes", "a ray", "errors as weights", "seeds")
"""Tables whose messages may name nothing that can be typed as it stands."""
FIELD = ("two_losses", "size_as_text", "wandb_runs", "tokens_in_billions", "exaflop_derived_tokens", "unit_words",
         "overlapping_steps", "resumed_runs", "diverged", "bigger_worse", "narrow_sizes_3", "noise_free")  # fmt: skip


def messages_of(result):
    """Return what a command said: the lines on stderr, and the warnings of its document."""
    said = [line for line in result.stderr.splitlines() if line.strip()]
    if result.stdout.startswith("{"):
        document = json.loads(result.stdout)  # of a refusal: its lines on stderr once more
        said += [one["message"] for one in document.get("warnings", ())]
        assert said or "error" not in document
    return said


def advice_in(message):
    """Yield the options that a message names, those that stand side by side together, each as words to type."""
    together, end = [], -1
    for found in re.finditer(r"(?<![\w-])--[a-z][a-z-]*", message):
        option = OPTIONS.get(found.group())
        if option is None:
            continue
        words, after = [found.group()], found.end()
        if not option.is_flag:
            form = r"[= ]('.'|\".\"|\S)" if option.metavar == "CHAR" else VALUE
            value = re.match(form, message[after:])
            if value is None:
                continue
            words.append(
                value.group(1).strip("'\"")
                if option.metavar == "CHAR"
                else shlex.split(value.group(1).rstrip(".:)"))[0]
            )
            after += value.end()
        if together and message[end : found.start()].strip():
            yield together
            together = []
        together, end = together + words, after
    if together:
        yield together


def walk(run, table):
    """Type every option that is named for a table, and what is named then; return how many were typed."""
    first = run("fit", table, *FIT)
    assert first.exit_code in (0, 3, 4), first.output
    typed, seen, pending = 0, set(), [((), first)]
    while pending:
        before, result = pending.pop()
        for message in messages_of(result):
            for words in advice_in(message):
                line = (*before, *words)
                is_typed = not set(words).isdisjoint(set(before) & set(OPTIONS))  # what is said of it takes it back
                if any(TO_FILL_IN.search(word) for word in words) or line in seen or is_typed or len(before) > 6:
                    continue
                seen.add(line)
                again = run("fit", table, *FIT, *line)
                typed += 1
                assert again.exit_code in (0, 3, 4), f"{line}: {again.output}"
                assert again.exit_code != 3 or again.stderr != result.stderr, f"{line} changes nothing: {message}"
                if again.exit_code == 3 and result.exit_code == 3:
                    pending.append((line, again))
    return typed


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_what_a_message_names_runs_on_its_table(run, own_folder, name):
    (own_folder / "t.csv").write_text(MADE[name])
    assert walk(run, "t.csv") >= (name not in WITHOUT)


@pytest.mark.slow
@pytest.mark.parametrize("name", FIELD)
def test_what_a_message_names_runs_on_a_table_from_the_field(run, field, name):
    walk(run, field / f"{name}.csv")


def test_the_walk_finds_what_is_named():
    assert list(advice_in('use --scheme cluster --group run, or --where "row != 1 and x > 2"; or --final.')) == [
        ["--scheme", "cluster", "--group", "run"],
        ["--where", "row != 1 and x > 2"],
        ["--final"],
    ]
    assert isinstance(OPTIONS["--where"], click.Option)
