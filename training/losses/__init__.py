"""The losses, one a file, named as in the papers."""
