"""The three words and what each demands: the one rule by which `solve` gives a word and `check` judges it."""

from __future__ import annotations

from math import isfinite
from typing import Literal

from trabecula.certificate.record import Certificate
from trabecula.numerics.member_size import say_in_voxels
from trabecula.part.record import Part
from trabecula.status import Status

Word = Literal["predicted", "verified", "certified"]
"""How sure a number is: a guess; the true value from one solve; stationary, bounded, and what is printed."""

EQUILIBRIUM: dict[str, float] = {"verified": 1e-6, "certified": 1e-8}
"""Largest equilibrium residual a word allows."""

STATIONARY = 0.1
"""KKT residual (1 at a uniform start) up to which a converged design is called certified, else verified."""

VIOLATION = 2e-3
"""Relative violation of a limit above which nothing has converged."""

LOADED = 0.999
"""Share of the load of every case that must end on the part of a certified design."""

TIMES = 3.0
"""Compliance of a part, relative to its design's, from which on it is told as so many times."""

THIN = 2.999
"""Voxels of thickness below which members are named as what makes a part less stiff than its design."""

NEAR = 0.02
"""Largest relative difference between the compliance of a part and that of its certified design."""


def word_of(
    certificate: Certificate, status: Status, compliance: float, volume: float, part: Part | None = None
) -> Word:
    """The word that a result has earned.

    *verified* needs finite numbers and an equilibrium residual of at most 1e-6, *certified* that
    `shortcomings` has nothing to say. What is less than verified is only *predicted*.

    Parameters
    ----------
    certificate
        What is proven of the design.
    status
        How the solve ended.
    compliance, volume
        Its weighted compliance in J (W K for heat) and its volume fraction.
    part
        The finished part, if there is one.
    """
    residual = certificate.equilibrium_residual
    numbers = (residual, compliance, volume, certificate.volume_violation, certificate.grey)
    if not all(number is not None and isfinite(number) for number in numbers):
        return "predicted"
    assert residual is not None
    if residual > EQUILIBRIUM["verified"]:
        return "predicted"
    return "verified" if shortcomings(certificate, status, compliance, part) else "certified"


def shortcomings(certificate: Certificate, status: Status, compliance: float, part: Part | None) -> str:
    """Say in one sentence why a design is not certified, and what would mend it; empty where it is.

    *certified* needs a met stopping rule, an equilibrium residual of at most 1e-8, a KKT residual of at most
    0.1 and a lower bound; and a part in one piece that is held, on which at least 0.999 of every load ends,
    that keeps every limit, and whose compliance is within 2 % of the design's.

    Parameters
    ----------
    certificate, status, compliance, part
        As for `word_of`.
    """
    amiss = [*_amiss_of_part(part, compliance), *_amiss_of_design(certificate, status)]
    if not amiss:
        return ""
    said = [what for what, _ in amiss]
    listed = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
    return f"{listed}; {amiss[0][1]}"


def _amiss_of_part(part: Part | None, compliance: float) -> list[tuple[str, str]]:
    """What is amiss with a part, and what would mend it, the gravest first."""
    if part is None:
        return [("nothing is said of the finished part", "solve the problem again")]
    found = []
    if not part.held:
        found.append(("the part touches no support", "make the place of a support a solid region"))
    carries = part.loaded is None or part.loaded >= LOADED
    if part.loaded is not None and not carries:
        found.append((_bare_load(part, part.loaded), "make its place a solid region, or allow more volume"))
    if part.pieces != 1:
        found.append((f"the part is in {part.pieces} pieces", "allow more volume, or a larger filter radius"))
    for limit in part.limits:
        if not limit.met:
            said = f"the part's {limit.name} is {limit.value:.4g} where {limit.limit:.4g} is the limit"
            found.append((said, "ask for a little more than is needed"))
    off = part.compliance / compliance - 1.0 if compliance else float("nan")
    if not abs(off) <= NEAR and part.held and carries:  # else it says the same once more
        than, mend = (
            ("less stiff", _mend_thin(part, off))
            if off > 0.0
            else ("stiffer", "options.penalty: 3 with options.projection: true leaves none")
        )
        said = f"the part is {_percent(abs(off))} {than} than the design with its intermediate densities"
        if off >= TIMES - 1.0:
            said = f"the part has {1.0 + off:.3g} times the compliance of the design it was made of"
        found.append((said, mend))
    return found


def _mend_thin(part: Part, off: float) -> str:
    """What makes a part as stiff as its design, and what is measured of its members; a load on all of the
    domain acts on void too."""
    if part.loaded is None and off >= TIMES - 1.0:
        return "its load acts everywhere, on void too: raise options.minimum_stiffness, or allow more volume"
    mend = "take finer voxels, or a larger filter radius"
    if part.minimum_member is None or not part.resolution or part.minimum_member >= THIN * part.resolution:
        return mend
    return f"its thinnest member is {say_in_voxels(part.minimum_member, part.resolution)} thick: {mend}"


def _bare_load(part: Part, share: float) -> str:
    """Which share of the load acts on no material, and of which case where there are several."""
    worst = min(part.cases, key=lambda case: 1.0 if case.loaded is None else case.loaded, default=None)
    of = f"the load {worst.name!r}" if worst is not None and len(part.cases) > 1 else "the load"
    return f"{_percent(1.0 - share)} of {of} acts on no material"


def _amiss_of_design(certificate: Certificate, status: Status) -> list[tuple[str, str]]:
    found = []
    kkt, residual = certificate.kkt_residual, certificate.equilibrium_residual
    if status is not Status.CONVERGED:
        found.append(("the solve has not converged", "more iterations go on where it stopped"))
    if residual is None or not residual <= EQUILIBRIUM["certified"]:
        said = "not known" if residual is None else f"{residual:.1e}"
        found.append(
            (
                f"the equilibrium residual is {said}, above {EQUILIBRIUM['certified']:.0e}",
                "voxels nearer to cubes, or a larger minimum stiffness, are solved more exactly",
            )
        )
    if kkt is None or not kkt <= STATIONARY:
        said = "not known" if kkt is None else f"{kkt:.2g}, above {STATIONARY:g}"
        found.append((f"the KKT residual is {said}", "a smaller tolerance takes it further"))
    if certificate.lower_bound is None:
        found.append(("no lower bound is known", "there is one for compliance and volume without own weight"))
    return found


def _percent(share: float) -> str:
    """Two digits, and whole per cent from ten on: 0.12 %, 5.2 %, 5384 %."""
    percent = 100.0 * share
    return f"{percent:.2g} %" if percent < 10.0 else f"{percent:.0f} %"
