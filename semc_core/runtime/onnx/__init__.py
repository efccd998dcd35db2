"""A network in ONNX, for other programs. This program itself runs model files (`runtime.openvino`)."""
