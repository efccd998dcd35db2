"""The network folded for inference in PyTorch, on a GPU or a CPU."""
