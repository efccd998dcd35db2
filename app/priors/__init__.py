"""Earlier studies: the dialog that finds them on a server, gets one, and opens a picture of it for review."""
