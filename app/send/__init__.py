"""Sending to a PACS: the dialog with its servers and its queue."""
