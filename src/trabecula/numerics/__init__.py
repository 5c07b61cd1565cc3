"""Arrays in, arrays out: the small numerics that every other room may use, and that know nothing of them."""
