"""A video through the motion core, on the owner's computer: what the door would have done, and why."""
