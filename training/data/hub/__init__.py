"""Public data sets: what there is, and how it is downloaded."""
