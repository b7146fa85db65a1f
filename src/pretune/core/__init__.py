"""What every part needs and nothing else: errors, extras, files. Knows nothing of models."""
