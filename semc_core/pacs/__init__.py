"""Servers, the queue of what is sent, and the association that sends it."""
