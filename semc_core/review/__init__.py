"""A recorded loop in review: analysis behind the picture, looking at frames, candidates."""
