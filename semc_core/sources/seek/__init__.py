"""A loop in any order: an index of its packets, and decoders that jump."""
