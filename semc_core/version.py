"""The version of the program, written into every file that it saves."""

VERSION = "0.1.0"
