"""Tables, pictures and pages from plain numbers and words. Knows nothing of what they are about."""
