"""A small HTTP interface on this machine: a loop in, its planes as JSON out."""
