"""The review of a loop: time line, planes, frames and corrections."""
