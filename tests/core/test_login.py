"""Where the broker's password may come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorbell import login
from doorbell.config import Config, Mqtt
from doorbell.errors import Mistake


def password(**mqtt: object) -> str:
    return login.settings(Config(mqtt=Mqtt(host="broker", username="front", **mqtt))).password


def test_the_password_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("open sesame\n")
    assert password(password_file=str(tmp_path / "secret")) == "open sesame"


def test_systemd_may_hand_the_password_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert password() == ""
    (tmp_path / "mqtt-password").write_text("handed over")
    assert password() == "handed over"
    assert password(password="written down") == "written down"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"two\nlines", b"x" * 2000])
def test_a_password_file_that_holds_none_is_a_sentence_without_its_content(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    with pytest.raises(Mistake, match="password_file") as error:
        password(password_file=str(tmp_path / "secret"))
    assert "lines" not in str(error.value)


def test_without_tls_the_plain_port_is_taken() -> None:
    assert login.settings(Config(mqtt=Mqtt(host="broker", tls="off"))).port == 1883
    assert login.settings(Config(mqtt=Mqtt(host="broker"))).port == 8883
