"""From frames to planes: threads, queues, stages and the detector. Knows no session."""
