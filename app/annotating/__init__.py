"""Words, arrows and body marks on the picture in review and on the frozen live picture."""
