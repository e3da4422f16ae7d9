"""Scaling laws: equations with named coefs, one law or one family per file."""

from importlib import import_module

from jaxscale.laws.inputs import Input
from jaxscale.laws.predicting import predict_each, predict_sets, predict_with
from jaxscale.laws.spec import SHIPPED_SETS, Coef, Law, Published
from jaxscale.laws.typed import ExpressionLoss, law_from_expression
from jaxscale.registry import Registry

FILES = (
    "broken",
    "chinchilla",
    "downstream",
    "effective_size",
    "embeddings",
    "experts",
    "farseer",
    "hyperparameters",
    "kaplan",
    "kaplan_training",
    "learning_rates",
    "mixing",
    "nested",
    "power",
    "precision",
    "repeated",
    "transfer",
)
"""The files of this folder that hold laws, each in a tuple `LAWS`, in the order in which they are listed."""

ALIASES = {"skaling": "nested-gamma"}
"""Second names of laws."""

LAWS: Registry[Law] = Registry(
    "law", [law for file in FILES for law in import_module(f"jaxscale.laws.{file}").LAWS], ALIASES
)

SHIPPED_SETS |= {
    one.name: [law.name for law in LAWS if one.name in (other.name for other in law.published)]
    for every in LAWS
    for one in every.published
}

__all__ = [
    "FILES",
    "LAWS",
    "Coef",
    "ExpressionLoss",
    "Input",
    "Law",
    "Published",
    "law_from_expression",
    "predict_each",
    "predict_sets",
    "predict_with",
]
