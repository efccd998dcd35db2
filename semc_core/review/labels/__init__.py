"""Labels that were given in other programs, onto sessions as corrections."""
