"""`python -m pretune` is the same as `pretune`."""

from pretune.cli import main

if __name__ == "__main__":
    main()
