"""What came from a card or a stream before it was decoded: kept for a while, written, and played again."""
