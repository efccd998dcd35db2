"""Everything that finds, keeps and hands over planes, without a window.

OpenVINO's Python package reports its import to its maker over the network unless the user has declined.
Nothing may leave the machine unasked, so the package that does it is made unavailable here, before anything
can import OpenVINO; OpenVINO then uses the stub that it brings for this case.
"""

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
