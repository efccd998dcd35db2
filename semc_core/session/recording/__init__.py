"""Videos of a scan: recordings, clips round planes, and the proof that they are unchanged."""
