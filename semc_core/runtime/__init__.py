"""Runtimes: a model file in, predictions out.

OpenVINO's Python package reports its import to its maker over the network unless the user has declined.
Nothing may leave the machine unasked, so the package that does it is made unavailable here, before OpenVINO
is imported; OpenVINO then uses the stub that it brings for this case.
"""

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
