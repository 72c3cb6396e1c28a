"""The household of the other folder."""

from tests.household.conftest import at_home

__all__ = ["at_home"]
