"""An archive of loops, analysed by many workers side by side (Ray), each loop once: see docs/scaling.md."""
