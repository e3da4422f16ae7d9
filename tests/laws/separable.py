"""The optimum of the separable law in closed form: a witness for laws that feed it other inputs."""

import numpy as np


def optimum(A, B, alpha, beta, product):
    """Return N and D that minimise A N^-alpha + B D^-beta on N D = product.   Source: Hoffmann et al. 2022, eq. 4."""
    total = alpha + beta
    ratio = (alpha * A / (beta * B)) ** (1.0 / total)
    return ratio * np.power(product, beta / total), np.power(product, alpha / total) / ratio
