"""Words, arrows and body marks on the picture in review."""
