"""What we believe about loss: each law an equation with named coefs, one law or one close family per file."""

from importlib import import_module

from jaxscale.laws.inputs import Input
from jaxscale.laws.predicting import predict_with
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.registry import Registry

FILES = (
    "annealing",
    "chinchilla",
    "kaplan",
    "multi_power",
    "power",
)
"""The files of this folder that hold laws, each in a tuple `LAWS`, in the order in which they are listed."""

LAWS: Registry[Law] = Registry("law", [law for file in FILES for law in import_module(f"jaxscale.laws.{file}").LAWS])

__all__ = ["LAWS", "Coef", "Input", "Law", "Published", "predict_with"]
