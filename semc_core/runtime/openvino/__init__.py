"""The network as an OpenVINO graph, built from the weights without PyTorch."""
