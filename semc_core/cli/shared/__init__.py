"""What commands share: how they are declared, what is typed after them, and what they print alike."""
