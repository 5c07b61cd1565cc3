"""One script a claim: each says what it claims in its docstring, measures it, and writes results/NAME.json.

Run them from the repository's root as modules, `python -m benchmarks.kernels`; `--quick` takes smaller grids
and fewer repeats, and leaves the committed results alone. `python -m benchmarks.tables` writes what was
measured into README.md and docs/measured.
"""
