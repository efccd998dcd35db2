"""How the picture is shown."""
