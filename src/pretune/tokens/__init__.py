"""Adds words and special tokens to a pretrained model without harming it."""
