"""The phones in the pockets: what wakes them when nobody looks at the app."""
