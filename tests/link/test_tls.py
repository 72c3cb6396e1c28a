"""Whom the door sends its login to: a real mosquitto with right and wrong certificates."""

import socket
import ssl
import threading
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from doorbell.events import Offline, Online
from doorbell.link.settings import MqttSettings
from doorbell.link.tls import PinMismatch, pinned_context
from tests.endure.rows import show
from tests.rigs.broker import Certificates, Mosquitto
from tests.rigs.caller import Caller

REFUSED = "{refused} of {tried} refused, no login sent: wrong host, self-signed, expired, TLS 1.1 by CA and by pin"
refusals = pytest.mark.threat("TLS refusals", parts=True)


def why_not(broker: Mosquitto, settings: MqttSettings) -> str:
    """The sentence, after making sure that the broker never saw a login."""
    with Caller(settings) as door:
        why: str = door.until(Offline).why
        assert not any(isinstance(one, Online) for one in door.events)
    assert "connected from" not in broker.log()
    return why


def ca(broker: Mosquitto, certificates: Certificates, **more: Any) -> MqttSettings:
    return MqttSettings(**{"host": "localhost", "port": broker.port, "ca_file": str(certificates.ca), **more})


def test_a_broker_of_the_known_authority_is_trusted(tmp_path: Path, certificates: Certificates) -> None:
    good = certificates.sign("good", "localhost")
    with Mosquitto(tmp_path, tls=good) as broker, Caller(ca(broker, certificates)) as door:
        door.until(Online)


@pytest.mark.endure
@refusals
@pytest.mark.parametrize(
    ("kind", "sentence"),
    [("host", "another host"), ("self-signed", "self-signed"), ("expired", "has expired")],
)
def test_what_cannot_prove_itself_gets_no_login(
    tmp_path: Path, certificates: Certificates, kind: str, sentence: str
) -> None:
    pair = {
        "host": lambda: certificates.sign("other", "elsewhere.example"),
        "self-signed": lambda: certificates.self_sign("self", "localhost"),
        "expired": lambda: certificates.sign("expired", "localhost", expired=True),
    }[kind]()
    with Mosquitto(tmp_path, tls=pair) as broker:
        assert sentence in why_not(broker, ca(broker, certificates))
    show("TLS refusals", REFUSED, refused=1, tried=1)


@pytest.mark.endure
@refusals
@pytest.mark.parametrize("how", ["ca", "pin"])
def test_a_broker_that_knows_nothing_newer_than_tls_1_1_gets_no_login(certificates: Certificates, how: str) -> None:
    pair = certificates.sign("old", "localhost")
    heard: list[bytes] = []
    with OldServer(pair, heard) as port:
        with socket.create_connection(("127.0.0.1", port)) as plain:
            # The control: a client of old is served.
            of_old(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(plain).close()
        pin = certificates.sha256(pair[0])
        settings = MqttSettings("localhost", port, tls=how, ca_file=str(certificates.ca), pin_sha256=pin)
        with Caller(settings) as door:
            assert "TLS 1.2" in door.until(Offline).why
    assert heard == []
    show("TLS refusals", REFUSED, refused=1, tried=1)


def of_old(side: int) -> ssl.SSLContext:
    context = ssl.SSLContext(side)
    if side == ssl.PROTOCOL_TLS_CLIENT:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


class OldServer:
    """Speaks TLS 1.1 and no newer; mosquitto takes its setting for a least version, not a most."""

    def __init__(self, pair: tuple[Path, Path], heard: list[bytes]) -> None:
        self._context = of_old(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*pair)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._heard = heard

    def __enter__(self) -> int:
        threading.Thread(target=self._serve, daemon=True).start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            near.settimeout(5)
            with suppress(OSError), self._context.wrap_socket(near, server_side=True) as served:
                if said := served.recv(100):
                    self._heard.append(said)
            near.close()


def test_an_unknown_authority_is_named_as_such(tmp_path: Path, certificates: Certificates) -> None:
    with Mosquitto(tmp_path, tls=certificates.sign("unknown", "localhost")) as broker:
        assert "unknown authority" in why_not(broker, ca(broker, certificates, ca_file=""))


def test_a_certificate_for_another_address_is_named_as_such(tmp_path: Path, certificates: Certificates) -> None:
    with Mosquitto(tmp_path, tls=certificates.sign("address", "10.0.0.1")) as broker:
        assert "another address" in why_not(broker, ca(broker, certificates, host="127.0.0.1"))


def test_a_port_without_tls_is_named_as_such(broker: Mosquitto, certificates: Certificates) -> None:
    why = why_not(broker, ca(broker, certificates))
    assert "mqtt.port" in why and "tls" in why.lower()


def test_a_ca_file_that_is_missing_or_none_is_named(
    tmp_path: Path, broker: Mosquitto, certificates: Certificates
) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    assert "cannot be read" in why_not(broker, ca(broker, certificates, ca_file=str(tmp_path / "none.pem")))
    assert "no certificate" in why_not(broker, ca(broker, certificates, ca_file=str(empty)))


@pytest.mark.parametrize("kind", ["self-signed", "of an authority"])
def test_a_pinned_certificate_is_trusted_whatever_host_it_names(
    tmp_path: Path, certificates: Certificates, kind: str
) -> None:
    make = certificates.self_sign if kind == "self-signed" else certificates.sign
    pair = make("pinned", "elsewhere.example")
    with Mosquitto(tmp_path, tls=pair) as broker:
        pin = certificates.sha256(pair[0])
        with Caller(MqttSettings("127.0.0.1", broker.port, tls="pin", pin_sha256=pin.upper())) as door:
            door.until(Online)


def test_any_other_certificate_than_the_pinned_one_gets_no_login(tmp_path: Path, certificates: Certificates) -> None:
    pin = certificates.sha256(certificates.self_sign("ours", "localhost")[0])
    with Mosquitto(tmp_path, tls=certificates.self_sign("theirs", "localhost")) as broker:
        settings = MqttSettings("127.0.0.1", broker.port, tls="pin", pin_sha256=pin)
        assert "not the pinned one" in why_not(broker, settings)


def test_a_certificate_that_is_not_the_pinned_one_is_never_made_an_anchor(
    tmp_path: Path, certificates: Certificates
) -> None:
    with Mosquitto(tmp_path, tls=certificates.self_sign("any", "localhost")) as broker, pytest.raises(PinMismatch):
        pinned_context("127.0.0.1", broker.port, "0" * 64, 5)


def test_a_password_is_not_shown_by_its_settings() -> None:
    assert "secret" not in repr(MqttSettings("h", 1, "front", "secret"))
