"""How good a model is on labelled frames, how sure of that one can be, and what it gets wrong."""
