"""WHAT IS PROVEN: residuals, a lower bound on every design, connectivity; and how a saved result is verified.

`certify` puts a certificate together. `bound` bounds what any design can reach, over the `designs` that are
admissible, and `relax` finds the displacements that make this bound sharp. `connected` labels the pieces of a
design. `independent` verifies a saved result by another path than the compiled core's; `consistency` and
`history` hold what its files say to what follows from them. The residual of stationarity and the knapsack are
in `trabecula.numerics`. docs/certificate.md says what each number means.
"""

from trabecula.certificate.record import Certificate

__all__ = ["Certificate"]
