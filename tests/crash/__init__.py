"""Kills the program at random moments of all that it does, and looks at what is left."""
