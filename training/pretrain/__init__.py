"""Learning an encoder without labels (SimCLR) or with few (AWCL)."""
