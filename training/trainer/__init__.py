"""The run of a training: steps, validations, checkpoints, processes side by side."""
