"""Everything that finds, keeps and hands over planes, without a window."""
