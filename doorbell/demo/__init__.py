"""The whole door on one computer, for whoever wants to see it before they build it."""
