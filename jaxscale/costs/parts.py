"""What a part of a model or of its data comes to: the params that a token passes, the tokens of one domain."""

from __future__ import annotations

from functools import cache

from jaxscale.costs.spec import Amounts, Cost

OF_DOMAIN = "tokens_of_"
"""What the name of a cost of one domain's tokens begins with."""


def active_params(params: Amounts, tokens: Amounts, *, idle_experts: Amounts) -> Amounts:
    """Return N (1 - S): the params that a token passes, of N in all, where a share S of the experts is idle."""
    return params * (1.0 - idle_experts) + 0.0 * tokens


ACTIVE_PARAMS = Cost("active_params", active_params, "params", "Abnar et al. 2025, arXiv 2501.12370", ("idle_experts",))


@cache
def domain_tokens(domain: str) -> Cost:
    """Return the tokens that are taken from one domain, its share of D: what its own unique tokens, repeated so many
    times, must suffice for.

    Parameters
    ----------
    domain
        A name as in the law's inputs, share_NAME.

    Returns
    -------
    Cost
        Named tokens_of_NAME; equal for equal names.

    Examples
    --------
    >>> js.costs.domain_tokens("code").amount(1e9, 2e10, share_code=0.25)
    5000000000.0
    """
    share = f"share_{domain}"

    def amount(params: Amounts, tokens: Amounts, **shares: Amounts) -> Amounts:
        return tokens * shares[share] + 0.0 * params

    return Cost(f"{OF_DOMAIN}{domain}", amount, "tokens", "a share of the tokens", (share,))
