"""The live page: the picture with its plane, curves of confidence, saved planes, figures."""
