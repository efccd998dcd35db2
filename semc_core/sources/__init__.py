"""Where frames come from: files, cameras, streams, the simulation. All keep one contract."""
