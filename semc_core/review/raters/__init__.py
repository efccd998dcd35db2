"""Two people's sessions of one loop: what differs, how far they agree, and one session of both."""
