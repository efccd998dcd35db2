"""Files that appear whole or not at all, locks, who may read a file, the log, processes, video encoding."""
