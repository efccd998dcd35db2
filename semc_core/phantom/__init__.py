"""The simulated upper abdomen: anatomy, the probe's path, how a picture is formed."""
