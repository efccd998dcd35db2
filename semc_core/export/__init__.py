"""What leaves the machine, in four steps: collect, de-identify, write, prove."""
