"""Counting conventions: FLOP and parameters by convention, their units, and tables counted again."""

from jaxscale.costs.machines import MACHINES, flops_of_hours
from jaxscale.costs.training import training_flops
from jaxscale.counting.architecture import WORDS, Architecture
from jaxscale.counting.conventions import (
    Convention,
    expert_flops,
    inference_flops,
    layer_params,
    omega_of,
    precision_flops,
    routing_flops_per_token,
)
from jaxscale.counting.itemised import (
    Itemised,
    chinchilla_flops,
    chinchilla_sequence,
    deepseek_flops,
    deepseek_optimum,
    deepseek_ratios,
    deepseek_scale,
    kaplan_flops,
    kaplan_forward,
    palm_flops_per_token,
    palm_hardware_flops_per_token,
    utilisation,
)
from jaxscale.counting.recounting import ALL, CONVENTIONS, countable, recount, uncountable
from jaxscale.counting.units import (
    PF_DAY,
    bits,
    bits_per_byte,
    flops_of,
    flops_of_pf_days,
    loss_of_bits_per_byte,
    nats,
    nats_per_byte,
    nats_per_character,
    pf_days,
)

__all__ = [
    "ALL", "CONVENTIONS", "MACHINES", "PF_DAY", "WORDS", "Architecture", "Convention", "Itemised", "bits",
    "bits_per_byte", "chinchilla_flops", "chinchilla_sequence", "countable", "deepseek_flops", "deepseek_optimum",
    "deepseek_ratios", "deepseek_scale", "expert_flops", "flops_of", "flops_of_hours", "flops_of_pf_days",
    "inference_flops", "kaplan_flops", "kaplan_forward", "layer_params", "loss_of_bits_per_byte", "nats",
    "nats_per_byte", "nats_per_character", "omega_of", "palm_flops_per_token", "palm_hardware_flops_per_token",
    "pf_days", "precision_flops", "recount", "routing_flops_per_token", "training_flops", "uncountable",
    "utilisation",
]  # fmt: skip
