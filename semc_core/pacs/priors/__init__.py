"""Earlier studies that a server has: finding them, and getting one."""
