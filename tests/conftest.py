"""A broker and somebody who listens there, for whoever asks; and how hypothesis looks for counter-examples."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.endure import rows
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Listener

# Machines are shared, so nothing is judged by how long it took.

settings.register_profile(
    "door", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("door")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def listener(broker: Mosquitto) -> Iterator[Listener]:
    with Listener(broker.port) as one:
        yield one


def pytest_runtest_setup(item: pytest.Item) -> None:
    rows.begins(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    rows.ended(item, report)
    return report
