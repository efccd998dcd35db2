"""All sessions: the dialog that lists them, finds one by words, opens it in review, or deletes it."""
