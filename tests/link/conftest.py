"""A broker of its own for whoever asks."""

import pytest

from tests.rigs.broker import Certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates")).make_authority()
