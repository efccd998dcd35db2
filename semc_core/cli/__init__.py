"""The commands without a window, and what they are declared with."""
