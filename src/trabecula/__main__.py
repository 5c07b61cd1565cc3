"""`python -m trabecula` is the command line."""

from trabecula.cli import main

if __name__ == "__main__":
    main()
