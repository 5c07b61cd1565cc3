"""Training of the adversarial generator: designs that are nearly equally good, a generator and a critic."""
