"""The worklist: which examinations are scheduled, and to which of them a scan belongs."""
