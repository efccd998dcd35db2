"""The fetal model of the mid-trimester: SonoNet-16 taught further on real planes of several countries."""
