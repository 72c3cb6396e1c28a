"""What moved in the picture, and what of the picture nobody may see."""
