"""What a person changes in a session: decisions, measures, steps of undo."""
