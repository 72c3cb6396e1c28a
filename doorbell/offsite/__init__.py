"""Copies of what is sealed, kept somewhere else for the day the door is gone."""
