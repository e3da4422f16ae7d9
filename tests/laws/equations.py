"""The equation that a law prints, read as text and evaluated in fifty digits: a witness that knows no code of ours.

An equation is `L = …`, or another name for what the law says, with the papers' symbols for the inputs and the coefs by
name; clauses after a semicolon, as in `L = E + A/N_eff^alpha; N_eff = N/(1 + x); x = …`, define what it uses. Brackets
may be square, powers are `^`.
"""

import mpmath

FUNCTIONS = {
    "exp": mpmath.exp, "ln": mpmath.log, "log10": mpmath.log10, "sqrt": mpmath.sqrt,
    "min": min, "max": max, "abs": abs,
}  # fmt: skip


def equation_of(law):
    """Return (inputs, coefs) → loss, by the text of the law's equation."""
    clauses = [clause.partition("=") for clause in law.equation.split(";")]
    texts = {name.strip(): compile(_python(right), law.name, "eval") for name, _, right in clauses}
    answer = next(iter(texts))
    assert answer.isidentifier(), f"{law.name}: the equation does not begin as 'L = …'"

    def value(inputs, coefs):
        names = {law.input(name).symbol or name: number for name, number in inputs.items()}
        known = {**FUNCTIONS, **names, **coefs}
        for name in reversed(texts):
            known[name] = eval(texts[name], {"__builtins__": {}}, known)
        return known[answer]

    return value


def _python(text):
    return text.strip().replace("^", "**").replace("[", "(").replace("]", ")")
