"""What was found, decided and recorded: one folder, with a log that proves it."""
