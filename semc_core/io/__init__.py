"""Files that appear whole or not at all, locks, processes, the video encoder."""
