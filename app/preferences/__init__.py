"""What people set once: the dialog, and what it says."""
