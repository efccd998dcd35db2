"""DICOMweb services: storing (STOW-RS), asking for studies (QIDO-RS), fetching one (WADO-RS)."""
