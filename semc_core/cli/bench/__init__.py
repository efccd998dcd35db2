"""`semc bench`: networks and precisions on this machine, and a live scan."""
