"""How often the whole of it is played: one seed in every run, five with -m slow."""

from __future__ import annotations

import pytest


@pytest.fixture(params=[1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4, 5))])
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)
