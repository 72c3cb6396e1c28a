"""What the broker's owner can read of a door, and what they can guess from sizes and times."""
