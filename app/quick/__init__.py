"""`semc bench window`: how quick the window is. A measurement, no feature of the window."""
