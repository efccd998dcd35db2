"""The SEMC network, its presets, and the model file with everything that a prediction needs."""
