"""The three words and what each demands: the one rule by which `solve` gives a word and `check` judges it."""

from __future__ import annotations

from math import isfinite
from typing import Literal

from trabecula.certificate.record import Certificate
from trabecula.status import Status

Word = Literal["predicted", "verified", "certified"]
"""How sure a number is: a guess; the true value from one solve; stationary and bounded."""

EQUILIBRIUM: dict[str, float] = {"verified": 1e-6, "certified": 1e-8}
"""Largest equilibrium residual a word allows."""

STATIONARY = 0.1
"""KKT residual (1 at a uniform start) up to which a converged design is called certified, else verified."""

VIOLATION = 2e-3
"""Relative violation of a limit above which nothing has converged."""


def word_of(certificate: Certificate, status: Status, compliance: float, volume: float) -> Word:
    """The word that a result has earned.

    *verified* needs finite numbers and an equilibrium residual of at most 1e-6; *certified* also a met
    stopping rule, an equilibrium residual of at most 1e-8, a KKT residual of at most 0.1 and a lower bound.
    What is less is only *predicted*.

    Parameters
    ----------
    certificate
        What is proven of the design.
    status
        How the solve ended.
    compliance, volume
        Its weighted compliance in J (W K for heat) and its volume fraction.
    """
    residual = certificate.equilibrium_residual
    numbers = (residual, compliance, volume, certificate.volume_violation, certificate.grey)
    if not all(number is not None and isfinite(number) for number in numbers):
        return "predicted"
    assert residual is not None
    if residual > EQUILIBRIUM["verified"]:
        return "predicted"
    is_certified = (
        status is Status.CONVERGED
        and residual <= EQUILIBRIUM["certified"]
        and certificate.kkt_residual is not None
        and certificate.kkt_residual <= STATIONARY
        and certificate.lower_bound is not None
    )
    return "certified" if is_certified else "verified"
