"""Storage commitment: asking a server whether it keeps for good what it was sent, and hearing its answer."""
