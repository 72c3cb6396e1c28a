"""Screenshots of the app's tests, for whoever wants to look at them."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def pictures() -> Path | None:
    """Where to put them: DOORBELL_PICTURES, a folder; none otherwise."""
    folder = os.environ.get("DOORBELL_PICTURES")
    return Path(folder) if folder else None
