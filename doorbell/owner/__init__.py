"""What the owner's computer can do and the door cannot: hold the secret key and open what was sealed to it."""
