"""DICOM objects, made anew from plain data."""
