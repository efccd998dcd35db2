"""The checklist of a scanning protocol beside the picture: what was found and what is missing."""
