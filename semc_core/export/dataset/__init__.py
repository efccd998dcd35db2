"""Planes of sessions as a data set for other programs, de-identified as any export is."""
