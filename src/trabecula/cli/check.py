"""`trabecula check`: a saved result, verified again from its files alone."""
