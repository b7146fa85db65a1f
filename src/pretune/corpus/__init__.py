"""Training text: rows of every format that know their file and line. Knows no model and no tokenizer."""
