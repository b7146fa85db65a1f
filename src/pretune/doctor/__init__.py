"""`pretune doctor`: what this machine and this environment offer a fine-tune, and what they lack. Knows no model."""
