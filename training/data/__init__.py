"""What is trained on: reading, checking, splitting and loading of labelled frames."""
