"""Real tables that tell how their networks are counted."""

import numpy as np
import pytest

from jaxscale.runs import Runs, read_runs


@pytest.fixture(scope="session")
def gadre(shared_data):
    """The 35 runs of Gadre et al. 2024 on RedPajama, with params in all and without the embedding."""
    return read_runs(shared_data / "gadre_overtrain.csv", where=["experiment == 'rpj'"])


@pytest.fixture(scope="session")
def porian(shared_data):
    """The IsoFLOP points of Porian et al. 2024, under three counts."""
    return read_runs(shared_data / "porian_isoflop_rw.csv")


@pytest.fixture(scope="session")
def with_shapes(porian):
    """A function: one experiment by the params of its layers, with the shapes that the three counts give away.

    V d is what the head adds to N_ne, l s d what attention adds to that, with V = 50432 and s = 2048.
    """

    def sizes(experiment):
        return np.unique(porian.where(f"experiment == '{experiment}'")["params"])

    def table(experiment):
        kaplan, standard, attention = (
            sizes(f"rw_base_long_kaplan_{count}") for count in ("kaplan_train", "standard_val", "attention_train")
        )
        width = (standard - kaplan) / 50432
        layers = (attention - standard) / (2048 * width)
        assert all((np.round(shape) == shape).all() for shape in (width, layers))
        rows = porian.where(f"experiment == '{experiment}'")
        own = np.searchsorted(sizes(experiment), rows["params"])
        ones = np.ones(len(rows))
        return Runs.from_arrays(
            params=kaplan[own],
            tokens=rows["tokens"],
            flops=rows["flops"],
            loss=rows.loss,
            params_non_embedding=kaplan[own],
            n_layers=layers[own],
            d_model=width[own],
            vocab_size=50432 * ones,
            n_ctx=2048 * ones,
        )

    return table
