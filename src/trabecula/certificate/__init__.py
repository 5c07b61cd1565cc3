"""What is proven: residuals, optimality, a lower bound on every design, one piece or not; and all of it
again.

`certify` puts a certificate together, `relax` finds the field that makes the bound of `bound` sharp (inside
it a `knapsack` over `designs`), `kkt` and `connected` are what their names say, and `independent` verifies
a saved result by another path than the compiled core's.  docs/certificate.md says what each number means.
"""

from trabecula.certificate.record import Certificate

__all__ = ["Certificate"]
