"""What several features draw with. Nothing here knows a feature."""
