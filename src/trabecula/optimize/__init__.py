"""THE LOOP: one grid, one start, iterate to a stop; every step is a value that can be saved and resumed."""
