"""Tests of `semc_core.runtime.onnx`."""
