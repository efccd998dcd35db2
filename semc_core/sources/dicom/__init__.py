"""DICOM files: stills, cine loops and video, native and compressed.

Only the elements named in `header` are read: the patient's name and number never enter the program.
"""

from semc_core.sources.dicom.source import DicomSource

__all__ = ["DicomSource"]
