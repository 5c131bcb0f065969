"""What the figures are compared with: the least that does the same work, and the usual way to do it."""
