"""What is not to be kept: names that are forgotten, sessions that are old."""
