"""The export dialog: choices, a preview of what is blanked, and the run of the export."""
