"""Where the ultrasound picture is in a frame: a small network looks twice, then edges are made exact."""
