"""What we believe about loss: each law an equation with named coefs, one law or one close family per file."""

from jaxscale.laws.chinchilla import CHINCHILLA, CHINCHILLA_TIED
from jaxscale.laws.kaplan import KAPLAN
from jaxscale.laws.power import (
    POWER,
    POWER_PARAMS,
    POWER_TOKENS,
    PURE_POWER,
    PURE_POWER_PARAMS,
    PURE_POWER_TOKENS,
)
from jaxscale.laws.predicting import predict_with
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.registry import Registry

LAWS = Registry(
    "law",
    (
        CHINCHILLA,
        CHINCHILLA_TIED,
        KAPLAN,
        POWER,
        POWER_PARAMS,
        POWER_TOKENS,
        PURE_POWER,
        PURE_POWER_PARAMS,
        PURE_POWER_TOKENS,
    ),
)

__all__ = ["LAWS", "Coef", "Law", "Published", "predict_with"]
