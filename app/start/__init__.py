"""The start page: sources, models, protocols, recent files."""
