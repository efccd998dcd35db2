"""Training, calibration, evaluation and publishing of models. Runs as its own process."""
