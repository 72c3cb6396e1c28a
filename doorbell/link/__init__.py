"""The door's one connection to the world: an MQTT broker it does not trust."""
