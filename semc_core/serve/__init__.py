"""A service that receives ultrasound by DICOM, analyses what came, and sends back what was found."""
