"""The runs of Hoffmann et al. 2022, as they were read off a figure."""

from __future__ import annotations

from jaxscale.datasets.public import Public

EPOCH = Public(
    name="epoch-chinchilla",
    address=(
        "https://raw.githubusercontent.com/hadasah/scaling_laws/1f3708c0a12df0effb0ee906b1da5f9f0ff4f4f1/"
        "data/epoch_ai.csv"
    ),
    sha256="1a91038dd0bc270b975e3ac01e82b5636292f1f0b8f276dbfdac3313e9cce436",
    licence="none stated, neither there nor by those who made it",
    citation=(
        "Hoffmann et al. 2022, arXiv 2203.15556, figure 4, for the runs; Besiroglu et al. 2024, arXiv 2404.10102, for "
        "reading them off it"
    ),
    about=(
        "245 runs: `N` params, `C` FLOP, `loss` in nats per token; D = C / 6N. `x`, `y` and `color` are those of the "
        "figure.\n\nLosses are read off colours, 342 of them on a logarithmic scale from 2 to 5: neighbours differ by "
        "0.2 to 0.6 %. The replication leaves out the five highest losses, `loss < 3.4469`, which are runs with less "
        "than half a token per parameter; with them the exponent of tokens is 0.45 in place of 0.37."
    ),
)
