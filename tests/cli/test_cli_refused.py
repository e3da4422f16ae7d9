"""Invalid input is refused in one to three lines, with its exit code, and nothing on stdout."""

import json

import pytest
from cli_commands import TABLE

USAGE = {
    "a percentage as level": (("fit", "--level", "95"), "for 95 % write 0.95"),
    "a percent sign": (("fit", "--level", "95%"), "for 95 % write 0.95"),
    "a level of one": (("fit", "--level", "1"), "1 is not between 0 and 1"),
    "a level of NaN": (("fit", "--level", "nan"), "nan is not between 0 and 1"),
    "a level in words": (("fit", "--level", "most"), "'most' is not a number between 0 and 1"),
    "a negative budget": (("fit", "--flops", "1e21,-3"), "item 2, '-3', is not a positive, finite number"),
    "a budget of zero": (("fit", "--flops", "0"), "item 1, '0', is not a positive, finite number"),
    "a budget of NaN": (("fit", "--flops", "nan,1e21"), "item 1, 'nan', is not a positive, finite number"),
    "a budget beyond float64": (("fit", "--flops", "1e400"), "item 1, '1e400', is not a positive, finite number"),
    "a budget in words": (("fit", "--flops", "1e21,lots"), "item 2, 'lots', is not a number of FLOP"),
    "an empty item": (("fit", "--flops", "1e21,"), "item 2, '', is not a number of FLOP"),
    "an unknown law": (("fit", "--law", "chinchila"), "Did you mean 'chinchilla'"),
    "an unknown objective": (("fit", "--objective", "hubber"), "Did you mean 'huber'?"),
    "an unknown scheme": (("fit", "--scheme", "pears"), "Did you mean 'pairs'?"),
    "an unknown interval": (("fit", "--interval", "percentil"), "Did you mean 'percentile'?"),
    "an unknown solver": (("fit", "--solver", "newtn"), "Did you mean 'newton'?"),
    "an unknown coef to fix": (("fit", "--fix", "alpah=0.3"), "Did you mean 'alpha'?"),
    "a fix at another coef": (("fit", "--fix", "beta=alpha"), "--law chinchilla-tied without this --fix"),
    "a fix at a coef that no law ties to it": (("fit", "--fix", "A=B"), "write one with --law-expr"),
    "a fix without a number": (("fit", "--fix", "alpha=big"), "'big' is not a finite number"),
    "a fix of NaN": (("fit", "--fix", "alpha=nan"), "'nan' is not a finite number"),
    "a fix without a value": (("fit", "--fix", "alpha"), "'alpha' is not of the form coef=number"),
    "a coef fixed twice": (("fit", "--fix", "E=1", "--fix", "E=2"), "'E' is given twice"),
    "a fix outside its support": (("fit", "--fix", "alpha=-1"), "alpha"),
    "negative replicates": (("fit", "--replicates", "-1"), "--replicates: '-1' is not a whole number from 0 up"),
    "half a replicate": (("fit", "--replicates", "1.5"), "--replicates: '1.5' is not a whole number from 0 up"),
    "a negative seed": (("fit", "--seed", "-1"), "'-1' is neither a whole number"),
    "a seed beyond 32 bits": (("fit", "--seed", "4294967296"), "'4294967296' is neither a whole number"),
    "a delta that the objective lacks": (("fit", "--objective", "squared", "--delta", "1"), "'squared' has none"),
    "a delta of zero": (("fit", "--delta", "0"), "delta = 0.0 is not a positive, finite number"),
    "a role mapped twice": (("fit", "t.csv", "--map", "params=a", "--map", "params=b"), "'params' is given twice"),
    "a role that does not exist": (("fit", "t.csv", "--map", "parms=params"), "Did you mean 'params'"),
    "a law that gives no loss": (
        ("fit", "t.csv", "--law", "steplaw-lr"),
        "'steplaw-lr' gives is learning rate, not loss: say which column of the table holds it, --map loss=COLUMN",
    ),
    "a convention that counts no training": (("fit", "t.csv", "--count", "inference"), "unknown --count: 'inference'"),
    "clusters without groups": (("fit", "t.csv", "--scheme", "cluster"), "--group COLUMN"),
    "a scheme that draws nothing": (("fit", "--scheme", "jackknife"), "are no draws"),
    "options of a file for a data set": (("fit", "pilot", "--sep", ";"), "--sep says how a file is written"),
    "options of a file without a table": (("fit", "--units"), "the data set 'pilot' is no file of yours"),
    "a selection that cannot be read": (("fit", "t.csv", "--where", "loss <"), "--where"),
    "an unknown option": (("fit", "--replicate", "9"), "unknown option '--replicate'. Did you mean '--replicates'?"),
    "an option of another command": (
        ("plot", "x", "--trunk", "c"),
        "unknown option '--trunk'. It is one of jaxscale des",
    ),
    "an option without its value": (("fit", "--law"), "--law needs a value: --law NAME"),
    "an option with half of its values": (
        ("specifications", "t.csv", "--drop-below", "params"),
        "--drop-below needs a value: --drop-below COLUMN NUMBERS",
    ),
    "a value for a switch": (("fit", "--json=3"), "--json takes no value"),
    "a word that is none of a few": (
        ("fit", "--space", "lg"),
        "--space: 'lg' is none of log, linear. Did you mean 'lo",
    ),
    "a number that is none": (("fit", "--delta", "small"), "--delta: 'small' is not a finite number"),
    "a number outside": (("plan", "t.csv", "--tail", "2"), "--tail: '2' is not a finite number from 0 to 1"),
    "no table": (("check",), "jaxscale check needs TABLE"),
    "a needed option": (("design", "t.csv", "--budget", "1e20"), "jaxscale design needs --candidates FILE"),
    "an unknown command": (("fitt",), "unknown command 'fitt'. Did you mean 'fit'? Known: fit, studies,"),
    "an unknown law to show": (("laws", "kaplann"), "Did you mean 'kaplan'"),
    "too many tables": (("fit", "t.csv", "u.csv"), "unexpected 'u.csv': jaxscale fit takes [TABLE]"),
}

TABLES = {
    "no file": (None, (), "there is no such file"),
    "nothing in it": ("", (), "no header"),
    "a header only": ("params,tokens,loss\n", (), "0 runs"),
    "no loss": ("params,tokens\n1e8,1e9\n", (), "no column for loss"),
    "a loss of zero": (TABLE + "1e8,1e9,0\n", (), "above zero"),
    "a missing loss": (TABLE + "1e8,1e9,\n", (), "--missing drop"),
    "an unreadable number": (TABLE + "1e8,1B,2.0\n", (), "--units"),
    "semicolons": (TABLE.replace(",", ";"), (), "--sep"),
    "fewer rows than coefs": ("".join(TABLE.splitlines(keepends=True)[:4]), (), "3 runs for 5 free coefs"),
    "one row": ("".join(TABLE.splitlines(keepends=True)[:2]), (), "1 run for 5 free coefs of 'chinchilla'"),
    "nothing selected": (TABLE, ("--where", "loss > 9"), "no row of 8 is left"),
    "one loss everywhere": ("params,tokens,loss\n" + "".join(f"{n}e8,1e9,2.0\n" for n in range(1, 9)), (), "loss 2"),
}


def is_a_refusal(result, code):
    lines = result.stderr.splitlines()
    assert result.exit_code == code, result.output
    assert 1 <= len(lines) <= 3
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return True


CLICKS_OWN = ("No such", "Got unexpected", "Missing ", "Invalid value", "requires an argument", "does not take")
"""How click's own messages begin or what they say."""


@pytest.mark.parametrize(("words", "said"), USAGE.values(), ids=USAGE)
def test_what_cannot_be_meant_is_a_usage_error(run, own_folder, words, said):
    (own_folder / "t.csv").write_text(TABLE)
    result = run(*words)
    assert is_a_refusal(result, 2)
    assert said in result.stderr
    assert not any(own in result.stderr for own in CLICKS_OWN)


@pytest.mark.parametrize("name", ["an unknown option", "no table", "a number outside", "too many tables"])
def test_a_command_line_that_is_refused_is_a_document_under_json(run, own_folder, name):
    words, said = USAGE[name]
    result = run(*words, "--json")
    told = json.loads(result.stdout)["error"]
    assert (result.exit_code, told["kind"], told["exit_code"]) == (2, "UsageError", 2)
    assert said in told["message"]


@pytest.mark.parametrize(("text", "options", "said"), TABLES.values(), ids=TABLES)
def test_a_table_that_cannot_be_fitted_is_refused(run, own_folder, text, options, said):
    if text is not None:
        (own_folder / "t.csv").write_text(text)
    result = run("fit", "t.csv", *options)
    assert is_a_refusal(result, 3)
    assert said in result.stderr


def test_a_device_that_is_not_there_has_its_own_exit_code(run):
    result = run("fit", "--device", "tpu")
    assert is_a_refusal(result, 5)
    assert "device 'tpu' is not there" in result.stderr


@pytest.mark.parametrize("command", ["frontier", "plot"])
def test_a_folder_without_a_result_has_its_own_exit_code(run, own_folder, command):
    assert is_a_refusal(run(command, own_folder), 6)


def test_debug_shows_the_traceback_and_the_same_exit_code(run):
    result = run("fit", "nosuch.csv", "--debug")
    assert result.exit_code == 3
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("nosuch.csv: there is no such file")


def test_debug_may_stand_before_the_command(run):
    assert "Traceback" in run("--debug", "fit", "nosuch.csv").stderr


def test_quiet_does_not_silence_a_refusal(run):
    assert "there is no such file" in run("fit", "nosuch.csv", "-q").stderr


def test_an_unexpected_error_is_one_message_and_exit_code_one(run, monkeypatch):
    from jaxscale.cli import choosing

    def fall(*given):
        raise ZeroDivisionError("first line\nsecond line")

    monkeypatch.setattr(choosing, "check_names", fall)
    result = run("fit")
    assert is_a_refusal(result, 1)
    assert result.stderr.startswith("internal error: ZeroDivisionError: first line\n")


def test_control_characters_in_a_refusal_are_escaped(run):
    result = run("fit", "evil\x1b[2J\u202e.csv")
    assert is_a_refusal(result, 3)
    assert result.stderr.startswith("evil\\x1b[2J\\u202e.csv: ")
