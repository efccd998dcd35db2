"""What ships with the program: models, protocols, fonts, report templates, icons."""
