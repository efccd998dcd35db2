"""How the program is packed with its own Python, for machines that have none."""
