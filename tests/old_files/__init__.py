"""Files that the program of November 2026 wrote, and the proof that today's program still opens them."""
