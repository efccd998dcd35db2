"""Results as FHIR R4 resources, for information systems: a file of an export, and its way to a server."""
