"""What is proven: residuals, optimality, a lower bound on every design, one piece or not; and all of it
again by another path.

`certify` puts the pieces together, `relax` finds the field that makes the bound sharp, `recheck` verifies a
saved result independently of the compiled core.  See docs/certificate.md for what each number means.
"""

from trabecula.certificate.record import Certificate

__all__ = ["Certificate"]
