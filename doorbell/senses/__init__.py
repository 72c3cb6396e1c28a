"""The door's senses: pins and cameras, each behind one seam."""
