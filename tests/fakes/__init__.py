"""Fakes that implement a real seam of Gatelodge. For tests, and for people who want to see a part alone."""
