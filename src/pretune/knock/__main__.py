"""`python -m pretune.knock` is `pretune knock`."""

import sys

from pretune.knock.cli import main

sys.exit(main(sys.argv[1:]))
