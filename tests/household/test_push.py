"""The phone in the pocket: the real daemon and its postman, a push service and an ntfy server on the loopback."""

from __future__ import annotations

import base64
import json
import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from nacl.signing import VerifyKey

from tests.household.test_commands import AtHome
from tests.rigs.broker import Certificates, Mosquitto
from tests.rigs.door import Door, Listener, pause
from tests.rigs.phone import Phone
from tests.rigs.pushservice import Browser, PushService, Request, proved


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    folder = tmp_path / "ca"
    folder.mkdir()
    return Certificates(folder).make_authority()


@pytest.fixture
def service(certificates: Certificates) -> Iterator[PushService]:
    with PushService(certificates.sign("push", "localhost")) as one:
        yield one


Wakes = Callable[..., tuple[Door, Phone, Phone]]


@pytest.fixture
def wakes(at_home: AtHome, service: PushService, certificates: Certificates) -> Wakes:
    """``wakes(push settings)``: a door whose web push may go to the stand-in."""

    def arrive(push: dict[str, Any] | None = None) -> tuple[Door, Phone, Phone]:
        given = {"web": True, "own_host": service.host, "ca_file": str(certificates.ca)} | (push or {})
        return at_home({"push": given})

    return arrive


def key_of(phone: Phone) -> bytes:
    """The door's public push key, once its postman has said it."""
    found: list[str] = []

    def asked() -> bool:
        if key := phone.ask("push", {"do": "show"})["result"]["key"]:
            found.append(key)
        return bool(found)

    ends = 100
    while not asked() and (ends := ends - 1):
        pause(0.1)
    return base64.b64decode(found[0])


def chooses(phone: Phone, browser: Browser) -> dict[str, Any]:
    return phone.ask("push", {"do": "choose", "way": "web", "subscription": browser.subscription})


def alert_in(browser: Browser, request: Request, phone: Phone) -> dict[str, Any]:
    """What the letter says, if the door signed it."""
    letter = json.loads(browser.opened(request.body))
    text = letter["json"].encode()
    key = VerifyKey(base64.b64decode(phone.facts["verify_key"]))
    key.verify(b"doorbell/v1/alert\0" + text, base64.b64decode(letter["sig"]))
    said: dict[str, Any] = json.loads(text)
    return said


def test_a_press_wakes_the_phone_with_a_letter_only_it_can_open(wakes: Wakes, service: PushService) -> None:
    door, anna, ben = wakes()
    public = key_of(anna)
    hers, his = Browser(service.host), Browser(service.host)
    said = chooses(anna, hers)["result"]
    assert (said["way"], said["confirmed"], said["ended"]) == ("web", None, False)
    chooses(ben, his)
    door.press()
    first, second = service.wait(2)
    by_path = {one.path: one for one in (first, second)}
    request = by_path[hers.path]
    alert = alert_in(hers, request, anna)
    assert (alert["kind"], alert["door"], alert["epoch"]) == ("ring", "front", anna.facts["epoch"])
    rung = anna.document("alert", anna.until(lambda: anna.of("alert"))[0][1])
    assert rung["visit"] == alert["visit"]
    # The push service: who sent it, that it is for now or never, and nothing else. Both weigh the same.
    assert proved(request, f"https://{service.host}")[0] == public
    assert (request.headers["ttl"], request.headers["content-encoding"]) == ("60", "aes128gcm")
    assert len(first.body) == len(second.body) == 86 + 1024 + 16
    assert not any(word in request.body for word in (b"ring", b"front", alert["visit"].encode()))
    with pytest.raises(InvalidTag):
        his.opened(request.body)
    assert "Traceback" not in door.log() and hers.path not in door.log()


def test_a_test_ring_goes_to_who_asked_and_is_confirmed_once_heard(wakes: Wakes, service: PushService) -> None:
    door, anna, ben = wakes()
    key_of(anna)
    hers, his = Browser(service.host), Browser(service.host)
    chooses(anna, hers)
    chooses(ben, his)
    visit = anna.ask("ring_test", {"everywhere": False, "after": 1})["result"]["visit"]
    assert anna.ask("push", {"do": "confirm", "visit": visit})["refused"] == "gone"  # it has not rung yet
    assert not service.got
    request = service.wait(1)[0]
    assert request.path == hers.path
    alert = alert_in(hers, request, anna)
    assert (alert["kind"], alert["visit"]) == ("test", visit)
    assert ben.ask("push", {"do": "confirm", "visit": visit})["refused"] == "gone"
    assert anna.ask("push", {"do": "confirm", "visit": visit})["result"]["confirmed"].startswith("20")
    door.until(lambda: door.status()["phones"] == "1 confirmed, 1 not confirmed")
    # Kept over a restart, for the door alone.
    kept = door.state / "push.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert door.stop() == 0
    epoch = anna.facts["epoch"]
    door.start()
    anna.until(lambda: anna.facts["epoch"] != epoch)
    anna.hello()
    assert anna.ask("push", {"do": "show"})["result"]["confirmed"].startswith("20")
    door.press()
    assert {one.path for one in service.wait(3)[1:]} == {hers.path, his.path}


def test_a_subscription_that_rots_is_removed_and_told(wakes: Wakes, service: PushService) -> None:
    door, anna, _ = wakes()
    key_of(anna)
    chooses(anna, Browser(service.host))
    service.status = 410
    door.press()
    door.until(lambda: "push" in " ".join(door.status()["problems"]))
    assert anna.ask("push", {"do": "show"})["result"]["ended"] is True
    assert service.host not in (door.state / "push.json").read_text()
    assert len(service.got) == 1
    service.status = 201
    chooses(anna, Browser(service.host))
    door.until(lambda: not door.status()["problems"])


def test_who_leaves_the_household_is_not_woken_any_more(wakes: Wakes, service: PushService, broker: Mosquitto) -> None:
    door, anna, ben = wakes()
    key_of(anna)
    hers, his = Browser(service.host), Browser(service.host)
    chooses(anna, hers)
    chooses(ben, his)
    now = anna.hello()["result"]["roster"]
    stay = [one for one in json.loads(now["json"])["members"] if one["name"] != "Ben"]
    assert "result" in anna.ask("roster", {"document": anna.roster(now, stay)})
    anna.ask("ring_test", {"everywhere": True})
    service.wait(1)
    anna.ask("ring_test", {"everywhere": True})
    assert {one.path for one in service.wait(2)} == {hers.path}
    door.until(lambda: ben.id not in (door.state / "push.json").read_text())


def test_ntfy_hears_the_word_ring_and_nothing_else(wakes: Wakes, service: PushService) -> None:
    door, anna, _ = wakes({"web": False, "ntfy": f"https://{service.host}", "ntfy_token": "tk_secret"})
    shown = anna.ask("push", {"do": "show"})["result"]
    assert shown["ntfy"]["server"] == f"https://{service.host}"
    assert anna.ask("push", {"do": "choose", "way": "ntfy"})["result"]["way"] == "ntfy"
    visit = anna.ask("ring_test", {"everywhere": False})["result"]["visit"]
    service.wait(1)
    assert anna.ask("push", {"do": "confirm", "visit": visit})["result"]["confirmed"]
    door.press()
    for request in service.wait(2):
        assert request.body == b"ring"
        assert request.path == "/" + shown["ntfy"]["topic"]
        assert request.headers["cache"] == "no"
        assert request.headers["authorization"] == "Bearer tk_secret"
        assert not any("front" in f"{name}{value}" for name, value in request.headers.items())
    assert "tk_secret" not in door.log()


def test_what_is_turned_off_or_unknown_is_refused_by_name(at_home: AtHome, service: PushService) -> None:
    door, anna, ben = at_home()
    browser = Browser(service.host)
    assert chooses(anna, browser)["refused"] == "off"
    assert anna.ask("push", {"do": "choose", "way": "ntfy"})["refused"] == "off"
    assert anna.ask("push", {"do": "choose", "way": "none"})["result"]["way"] == "none"
    door.until(lambda: door.status()["phones"] == "1 chose none")
    assert ben.ask("settings", {"set": {"push": {"web": True}}})["refused"] == "role"
    assert anna.ask("settings", {"set": {"push": {"web": True}}})["result"]["settings"]["push"]["web"] is True
    key_of(anna)
    assert chooses(anna, browser)["refused"] == "host"
    wrongs: list[dict[str, Any]] = [
        {}, {"do": "choose"}, {"do": "choose", "way": "web"}, {"do": "choose", "way": "post"}, {"do": "confirm"},
        {"do": "choose", "way": "none", "subscription": browser.subscription}, {"do": "show", "way": "none"},
        {"do": "choose", "way": "web", "subscription": browser.subscription | {"auth": "x"}},
        {"do": "choose", "way": "web", "subscription": browser.subscription | {"extra": 1}},
        {"do": "choose", "way": "web", "subscription": browser.subscription | {"endpoint": "https://" + "x" * 2000}},
    ]  # fmt: skip
    for wrong in wrongs:
        assert anna.ask("push", wrong).get("refused") == "args", wrong
    for server in ("http://ntfy.sh", "https://ntfy.sh/topic", "https://u:p@ntfy.sh", "ntfy.sh"):
        assert anna.ask("settings", {"set": {"push": {"ntfy": server}}})["refused"] == "args"
    assert anna.ask("settings", {"set": {"push": {"own_host": "evil"}}})["refused"] == "args"


def postman(door: Door) -> int:
    """Its process id, 0 where there is none."""
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes()
            parent = int((place.parent / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if b"doorbell.push.postman" in words and door.process and parent == door.process.pid:
            return int(place.parent.name)
    return 0


def test_off_nobody_carries_anything(at_home: AtHome) -> None:
    door, anna, _ = at_home()
    assert anna.ask("push", {"do": "show"})["result"] == {
        "web": False, "key": None, "ntfy": None, "homeassistant": True, "way": None, "confirmed": None,
        "ended": False,
    }  # fmt: skip
    assert postman(door) == 0 and not (door.state / "push.json").exists()


def test_a_postman_that_dies_or_hangs_keeps_no_ring_and_is_replaced(
    wakes: Wakes, service: PushService, listener: Listener
) -> None:
    door, anna, _ = wakes()
    key_of(anna)
    hers = Browser(service.host)
    chooses(anna, hers)
    first = door.until(lambda: postman(door))
    os.kill(first, signal.SIGSTOP)
    door.press()
    listener.wait("ring", 1)
    os.kill(first, signal.SIGKILL)
    second = door.until(lambda: (now := postman(door)) and now != first and now)
    service.silent.set()
    door.press()
    service.wait(1)
    service.silent.clear()
    anna.ask("ring_test", {"everywhere": False})
    test = service.wait(2)[1]
    assert alert_in(hers, test, anna)["kind"] == "test"  # not the first one again: what hangs keeps no other
    listener.wait("ring", 2)
    assert postman(door) == second
    door.until(lambda: not door.status()["problems"])
