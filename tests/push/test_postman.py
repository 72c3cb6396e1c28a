"""The postman at its push services: whom it believes, what it sends, when it gives up."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doorbell.push import letters, postman, webpush
from doorbell.push.letters import Done, Letter, Ready, Setup, Shout
from doorbell.push.postman import Postman, trust
from tests.rigs.broker import Certificates
from tests.rigs.pushservice import Browser, PushService, proved


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates")).make_authority()


@pytest.fixture
def service(certificates: Certificates) -> Iterator[PushService]:
    with PushService(certificates.sign("push", "localhost")) as one:
        yield one


def setup(certificates: Certificates, service: PushService, **more: Any) -> Setup:
    given = {"own": service.host, "server": f"https://{service.host}", "topic": "a-topic", "token": ""} | more
    return Setup(b"\x01" * 32, ca_file=str(certificates.ca), **given)


def told_by(made: Setup, *carried: Letter | Shout) -> list[Any]:
    told: list[Any] = []
    vapid = webpush.Vapid(webpush.private_key(made.key), postman.CONTACT)
    one = Postman(made, trust(made.ca_file), vapid, told.append)
    for letter in carried:
        one.carry(letter)
    return told


def letter(browser: Browser, age: float = 0.0) -> Letter:
    endpoint = browser.subscription["endpoint"]
    return Letter("1", time.monotonic() - age, endpoint, browser.point, browser.auth, '{"a":"letter"}')


def test_a_letter_arrives_sealed_and_proved(certificates: Certificates, service: PushService) -> None:
    browser, made = Browser(service.host), setup(certificates, service)
    assert told_by(made, letter(browser)) == [Done("1", 201, "")]
    request = service.wait(1)[0]
    assert browser.opened(request.body) == b'{"a":"letter"}'
    point, claims = proved(request, f"https://{service.host}")
    assert point == webpush.public_bytes(webpush.private_key(made.key))
    assert set(claims) == {"aud", "exp", "sub"}
    assert {name for name in request.headers if name not in ("host", "accept-encoding", "content-length")} == {
        "authorization", "ttl", "urgency", "content-encoding", "content-type",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["host", "self-signed", "expired", "old"])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_who_cannot_prove_itself_hears_nothing(certificates: Certificates, kind: str) -> None:
    import ssl

    pair = {
        "host": lambda: certificates.sign("other", "elsewhere.example"),
        "self-signed": lambda: certificates.self_sign("self", "localhost"),
        "expired": lambda: certificates.sign("expired", "localhost", expired=True),
        "old": lambda: certificates.sign("old", "localhost"),
    }[kind]()
    with PushService(pair, newest=ssl.TLSVersion.TLSv1_1 if kind == "old" else None) as service:
        made = setup(certificates, service)
        carried = (letter(Browser(service.host)), Shout("2", time.monotonic()))
        assert told_by(made, *carried) == [Done("1", 0, "tls"), Done("2", 0, "tls")]
        assert service.got == []


def test_a_busy_service_is_asked_three_times_and_a_shout_goes_out_once(
    certificates: Certificates, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postman, "PAUSES_S", (0.0, 0.0))
    service.status = 503
    made = setup(certificates, service)
    assert told_by(made, letter(Browser(service.host))) == [Done("1", 503, "refused")]
    assert len(service.got) == 3
    assert told_by(made, Shout("2", time.monotonic())) == [Done("2", 503, "refused")]
    assert len(service.got) == 4


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 410, 413])
def test_an_answer_is_a_number_and_no_order(certificates: Certificates, service: PushService, status: int) -> None:
    """A redirection is not followed, and nothing of an answer's body or header is believed."""
    service.status = status
    assert told_by(setup(certificates, service), letter(Browser(service.host))) == [Done("1", status, "refused")]
    assert len(service.got) == 1


def test_a_letter_that_is_a_minute_old_is_not_sent(certificates: Certificates, service: PushService) -> None:
    made = setup(certificates, service)
    late = Shout("2", time.monotonic() - postman.STALE_S)
    assert told_by(made, letter(Browser(service.host), 60.0), late) == [Done("1", 0, "late"), Done("2", 0, "late")]
    assert service.got == []


def test_what_is_no_subscription_is_refused_without_a_connection(
    certificates: Certificates, service: PushService
) -> None:
    browser, made = Browser(service.host), setup(certificates, service)
    elsewhere = letter(Browser("evil.example"))
    pointless = Letter("3", time.monotonic(), browser.subscription["endpoint"], b"\x04" + bytes(64), bytes(16), "x")
    assert told_by(made, elsewhere, pointless) == [Done("1", 0, "refused"), Done("3", 0, "refused")]
    assert service.got == []


def test_a_server_that_drips_its_answer_is_hung_up_on(
    certificates: Certificates, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postman, "WHOLE_S", 0.5)
    service.silent.set()
    assert told_by(setup(certificates, service), Shout("2", time.monotonic())) == [Done("2", 0, "unreachable")]
    assert len(service.got) == 1


# ---- as a process


def started(first: bytes) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen([sys.executable, "-m", "doorbell.push.postman"], stdin=theirs.fileno())
    ours.send(first)
    ours.settimeout(30)
    return ours, process


def test_it_says_its_public_key_carries_and_ends_with_the_doorman(
    certificates: Certificates, service: PushService
) -> None:
    made, browser = setup(certificates, service), Browser(service.host)
    ours, process = started(letters.encode(made))
    with ours:
        ready = letters.decode(ours.recv(letters.LARGEST), letters.UP)
        assert ready == Ready(webpush.public_bytes(webpush.private_key(made.key)))
        ours.send(letters.encode(letter(browser)))
        assert letters.decode(ours.recv(letters.LARGEST), letters.UP) == Done("1", 201, "")
    assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("change", "status"), [({"ca_file": "/nonexistent"}, 3), ({"ca_file": os.devnull}, 3), ({"key": bytes(32)}, 2)]
)
def test_what_it_cannot_work_with_it_says_by_its_status(
    certificates: Certificates, service: PushService, change: dict[str, Any], status: int
) -> None:
    from attrs import evolve

    ours, process = started(letters.encode(evolve(setup(certificates, service), **change)))
    with ours:
        assert process.wait(30) == status


def test_without_cryptography_it_names_the_package(tmp_path: Path) -> None:
    from doorbell.push.office import WHY_NOT

    hidden = "import sys; sys.modules['cryptography'] = None; import doorbell.push.postman"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (4, "")
    assert "apt install python3-cryptography" in WHY_NOT[4]
