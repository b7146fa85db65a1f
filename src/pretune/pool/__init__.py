"""Which token, which layer and which pooling represents a sentence: found out by experiment, in one forward pass."""
