"""A front door to film without one: a porch, a path, a street, weather, visitors; drawn by numpy from a seed."""
