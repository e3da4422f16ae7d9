"""What we believe about loss: each law an equation with named coefs, one law or one close family per file."""

from importlib import import_module

from jaxscale.laws.expressions import ExpressionLoss, law_from_expression
from jaxscale.laws.inputs import Input
from jaxscale.laws.predicting import predict_each, predict_sets, predict_with
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.registry import Registry

FILES = (
    "annealing",
    "broken",
    "chinchilla",
    "critical_batch",
    "downstream",
    "embeddings",
    "experts_joint",
    "experts_sparsity",
    "farseer",
    "granularity",
    "hyperparameters",
    "kaplan",
    "kaplan_compute",
    "kaplan_single",
    "kaplan_steps",
    "loss_to_loss",
    "mixing",
    "mixing_scale",
    "multi_power",
    "nested",
    "overtraining",
    "parallel_streams",
    "power",
    "precision",
    "rectified",
    "repeated",
    "rosenfeld",
    "routed",
    "shifted",
    "sparsity",
    "steps_examples",
    "transfer",
    "transfer_offset",
    "vocabulary",
)
"""The files of this folder that hold laws, each in a tuple `LAWS`, in the order in which they are listed."""

ALIASES = {"skaling": "nested-gamma"}
"""Second names of laws."""

LAWS: Registry[Law] = Registry(
    "law", [law for file in FILES for law in import_module(f"jaxscale.laws.{file}").LAWS], ALIASES
)

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
