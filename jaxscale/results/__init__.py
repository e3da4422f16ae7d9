"""The answers: frozen records of NumPy numbers and of the specs that made them, for one set of coefs or many."""

from jaxscale.results.backtest import Backtest, LawScore
from jaxscale.results.check import Check
from jaxscale.results.comparison import Comparison
from jaxscale.results.counts import Count, Counts
from jaxscale.results.coverage import Coverage, Held
from jaxscale.results.decision import Decision
from jaxscale.results.design import Design
from jaxscale.results.diagnosis import Alternative, Diagnosis, Identified, Influence, Removal, ResidualTest
from jaxscale.results.ensemble import Ensemble
from jaxscale.results.fit import Fit
from jaxscale.results.frontier import EXPONENTS, QUANTITIES, Frontier
from jaxscale.results.minimum import Certificate, Joint, Minimum, ResidualSummary, residual_summary
from jaxscale.results.nested import Nested
from jaxscale.results.plan import Plan, PlanStatus
from jaxscale.results.recipes import Contrast, RecipeComparison, RecipePair
from jaxscale.results.regret import Regret, RegretCurve
from jaxscale.results.result import Result, Sampled
from jaxscale.results.samples import sample_of
from jaxscale.results.solution import Solution
from jaxscale.results.speccurve import SpecificationCurve
from jaxscale.results.specifications import PARTS, Decomposition, Specification, SpecificationFit
from jaxscale.results.studies import Studies, StudyKey
from jaxscale.results.study import LEAST_USABLE, Study

__all__ = [
    "EXPONENTS",
    "LEAST_USABLE",
    "PARTS",
    "QUANTITIES",
    "Alternative",
    "Backtest",
    "Certificate",
    "Check",
    "Comparison",
    "Contrast",
    "Count",
    "Counts",
    "Coverage",
    "Decision",
    "Decomposition",
    "Design",
    "Diagnosis",
    "Ensemble",
    "Fit",
    "Frontier",
    "Held",
    "Identified",
    "Influence",
    "Joint",
    "LawScore",
    "Minimum",
    "Nested",
    "Plan",
    "PlanStatus",
    "RecipeComparison",
    "RecipePair",
    "Regret",
    "RegretCurve",
    "Removal",
    "ResidualSummary",
    "ResidualTest",
    "Result",
    "Sampled",
    "Solution",
    "Specification",
    "SpecificationCurve",
    "SpecificationFit",
    "Studies",
    "Study",
    "StudyKey",
    "residual_summary",
    "sample_of",
]
