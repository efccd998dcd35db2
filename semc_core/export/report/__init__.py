"""The report of an export, as HTML and PDF."""
