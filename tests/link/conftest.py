"""A broker of its own for whoever asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.broker import Certificates, Mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates")).make_authority()
