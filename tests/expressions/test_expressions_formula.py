"""What a law's text may not hold: refused at once, with a caret under the place, and nothing of it is run."""

import subprocess
import sys
import time

import pytest

from jaxscale.errors import UsageError
from jaxscale.expressions.formula import declared_all, formula_of

COEFS = ("E", "A", "alpha")
TERM = "E + A*params**-alpha"
HOSTILE = {
    "an attribute": (TERM + " + params.real", 29, "nothing has parts"),
    "a hidden attribute": ("E.__class__", 2, "a name begins with a letter"),
    "an import": ("__import__('os').system('true')", 0, "a name begins with a letter"),
    "a call of what is not listed": ("E + eval(A)", 4, "'eval' is no function here"),
    "a call of a column": ("E + params(3)", 4, "'params' is no function here"),
    "a call of a result": ("exp(exp)(E)", 0, "only a function's name can be called"),
    "a call of a backquoted name": ("`exp`(E)", 0, "only a function's name can be called"),
    "a function without brackets": ("E + exp", 4, "write exp(…)"),
    "too few arguments": ("E + min(A)", 4, "two arguments or more"),
    "too many arguments": ("E + exp(A, alpha)", 4, "one argument"),
    "a subscript": ("A[0]", 1, "nothing has an index"),
    "a lambda": ("lambda x: x", 0, "word of Python"),
    "a comprehension": ("max(x for x in E)", 6, "word of Python"),
    "a walrus": ("(x := E)", 3, "':' is not read"),
    "an f-string": ("f'{E}'", 1, "text is no number"),
    "a text": ("E + 'A'", 4, "text is no number"),
    "and": ("E and A", 2, "word of Python"),
    "not": ("not E", 0, "word of Python"),
    "a comparison": ("E < A", 2, "a comparison is no number"),
    "an equation": ("L = E + A", 2, "write only what the loss is equal to"),
    "a condition": ("E if A else alpha", 2, "word of Python"),
    "a starred argument": ("max(*params)", 4, "only numbers, names"),
    "a keyword argument": ("exp(**params)", 6, "only numbers, names"),
    "a tower of powers": ("9**9**9", 3, "an exponent as large as"),
    "a huge power": ("E + params**1000000", 12, "an exponent as large as 1e+06"),
    "a huge negative power": ("E + params**-1000000", 12, "an exponent as large as -1e+06"),
    "a caret as a power": (TERM.replace("**-", "^-"), 12, "write '**'"),
    "a literal beyond float64": ("1e999*E", 0, "no finite number"),
    "a whole number beyond float64": ("9" * 400 + "*E", 0, "no finite number"),
    "numbers that overflow": ("E + 1e300*1e300", 4, "no finite number"),
    "a division by zero": ("E/(1 - 1)", 0, "no finite number"),
    "an imaginary number": ("E + 1j", 4, "'1j' is no decimal number"),
    "a number of base sixteen": ("E + 0x10*A", 4, "'0x10' is no decimal number"),
    "a number of base two": ("E + 0b11*A", 4, "'0b11' is no decimal number"),
    "a number with underscores": ("E + 1_000*A", 4, "'1_000' is no decimal number"),
    "a number glued to a name": ("E + 2params", 4, "write '*' to multiply"),
    "a number with two points": ("E + 1.2.3*A", 4, "'1.2.3' is no decimal number"),
    "a power of three": ("E + pow(A, alpha, 3)", 4, "pow takes two arguments, here are 3"),
    "a huge power by name": ("E + pow(params, -1000000)", 16, "an exponent as large as -1e+06"),
    "a huge power of a power by name": ("E + params**pow(10, 6)", 12, "an exponent as large as 1e+06"),
    "a division by a power less itself": ("E/(pow(2, 1) - 2)", 0, "no finite number"),
    "a root of a negative number by name": ("E + pow(-8, 0.5)", 4, "a power of a negative number"),
    "a root of a negative number": ("E + (-8)**0.5", 4, "a power of a negative number"),
    "a whole division": ("E // A", 2, "only numbers, names"),
    "a remainder": ("E % A", 2, "'%' is not read"),
    "a tuple": ("(E, A)", 0, "only numbers, names"),
    "an ellipsis": ("...", 0, "only numbers, names"),
    "True": ("True", 0, "word of Python"),
    "two statements": ("E; A", 1, "';' is not read"),
    "a comment": ("E # A", 2, "a comment is not read"),
    "a line continued": ("E + \\", 4, "is not read"),
    "half an expression": ("E + ", 3, "this cannot be read"),
    "an open bracket": ("(E + A", 0, "this cannot be read"),
    "two hundred brackets": ("(" * 200 + "E" + ")" * 200, 50, "brackets inside one another"),
    "1,900 minus signs": ("-" * 1900 + "E", None, "nested too deeply"),
    "a sum of six hundred": ("E" + "+E" * 600, None, ""),
    "a full-width letter": ("E + Ａ", 4, "plain letters"),
    "a letter that looks like another": ("E + \u0410*params", 4, "plain letters"),
    "a minus of typography": ("E \u2212 A", 2, "write '-'"),
    "a NUL": ("E + \0", 4, "a control character"),
    "a control character": ("E + \x1b[31m", 4, "a control character"),
    "a direction override": ("E + \u202eA", 4, "plain letters"),
    "an open backquote": ("E + `my column", 4, "not closed"),
    "a coef in backquotes": ("E + `A`", 4, "'A' is a coef"),
    "no column": ("E + A*alpha", 0, "takes no column"),
}


@pytest.mark.parametrize(("text", "place", "said"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_expression_is_refused_with_a_caret_under_the_place(text, place, said):
    begun = time.perf_counter()
    with pytest.raises(UsageError, match=r"^--law-expr: ") as refused:
        formula_of(text, COEFS)
    assert time.perf_counter() - begun < 1.0
    what, shown, caret = str(refused.value).split("\n")
    assert said in what
    assert all(line.isprintable() for line in (what, shown, caret))
    assert caret.strip() == "^"
    if place is not None:
        assert caret.index("^") == 2 + min(place, 60)


@pytest.mark.parametrize(("text", "said"), [("", "is empty"), (" \n", "is empty"), ("E+" * 5000, "at most 2000")])
def test_nothing_and_too_much_are_refused(text, said):
    with pytest.raises(UsageError, match=said):
        formula_of(text, COEFS)


COEF_TEXTS = {
    "no support": ("E", 0, "not of the form"),
    "four parts": ("E:positive:1:2", 1, "not of the form"),
    "no name": (":positive", 0, "a coef's name"),
    "a name with a dash": ("a-b:real", 0, "a coef's name"),
    "a keyword": ("lambda:real", 0, "no word of Python"),
    "a hidden name": ("__class__:real", 0, "begins with a letter"),
    "a letter that looks like another": ("\u0410:real", 0, "plain letters"),
    "a function": ("exp:real", 0, "is a function"),
    "an unknown support": ("E:positiv", 2, "Did you mean 'positive'"),
    "a start in words": ("E:positive:1,two", 13, "no finite number"),
    "a start of NaN": ("E:real:nan", 7, "no finite number"),
    "no start behind a comma": ("E:real:1,", 9, "no finite number"),
    "a start outside": ("E:positive:1,-2", 13, "the start -2 is outside the support 'positive'"),
    "a share of one": ("E:unit:1", 7, "outside the support 'unit'"),
}


@pytest.mark.parametrize(("text", "place", "said"), COEF_TEXTS.values(), ids=COEF_TEXTS)
def test_a_coef_that_cannot_be_meant_is_refused_with_a_caret(text, place, said):
    with pytest.raises(UsageError, match=r"^--coef: ") as refused:
        declared_all([text])
    what, _, caret = str(refused.value).split("\n")
    assert said in what
    assert caret.index("^") == 2 + place


def test_a_coef_that_is_declared_twice_or_stands_nowhere_is_refused():
    with pytest.raises(UsageError, match="'E' is declared twice"):
        declared_all(["E:real", "E:positive"])
    with pytest.raises(UsageError, match=r"'B' does not stand in the expression.*\n  B\n  \^"):
        formula_of(TERM, (*COEFS, "B"))


def test_columns_are_the_names_that_are_no_coefs_in_order_of_appearance():
    text = "E + A*tokens_per_param**-alpha + log(`Model Size`) + exp(-tokens_per_param) + max(batch, 1)"
    assert formula_of(text, COEFS).inputs == ("tokens_per_param", "Model Size", "batch")


@pytest.mark.parametrize(
    ("text", "linear"),
    [
        ("E + A*params**-alpha + B*(C/tokens)**beta", ("E", "A", "B")),
        ("E + A*B/params", ("E", "A")),  # a product is affine in one factor at a time
        ("(A + B)*(C - 1)/params", ("A", "B")),
        ("A*params*A + B", ("B",)),
        ("params*E/2 - A/B", ("E", "A")),
        ("exp(A) - 3*(B - params)", ("B",)),
    ],
)
def test_coefs_that_enter_linearly_are_known(text, linear):
    coefs = tuple(name for name in ("E", "A", "B", "C", "alpha", "beta") if name in text)
    assert formula_of(text, coefs).linear(coefs) == linear


def test_a_text_is_judged_without_jax():
    ask = (
        "import sys; from jaxscale.expressions.formula import formula_of; formula_of('E + x', ('E',));"
        "sys.exit('jax' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", ask], timeout=60, check=False).returncode == 0
