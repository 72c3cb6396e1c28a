"""The owner's computer writes a card: what the door is told before it first wakes up."""
