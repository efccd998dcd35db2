"""How good a picture is, from 0 to 100, and why it is not better."""
