"""What a pretrained model is made of, as files, read without loading it. Knows nothing of setups and rules."""
