"""The ways in which the rows of new tokens can begin: INITS. Imports nothing, for a command line names them."""

INITS = ("mean", "distill", "hf", "random")
"""`mean` of the pieces' rows; `distill`: trained so that the model's states stay; `hf`: as transformers; `random`."""
