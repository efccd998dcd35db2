"""How the picture is shown: the heat map over it, brightness and contrast. Never what is saved."""
