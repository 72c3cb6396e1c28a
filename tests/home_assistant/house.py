"""A real Home Assistant core, set up over its own interfaces as its owner would, and asked what it sees.

It runs in the root that build-root.sh made, in a mount and pid namespace of its own: whatever happens to this process,
nothing stays mounted and nothing stays running. Everything it is asked goes over the websocket that its pages use.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

T = TypeVar("T")

PATIENCE_S = 90.0
"""Longest wait for anything that must happen; a first start compiles its byte code and takes a few seconds."""

OWN_NAMESPACE = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
STARTED_IN_THE_ROOT = """
mount -t proc proc "$1/proc"
mount --bind "$2" "$1/conf"
exec chroot "$1" nice -n 5 env -i HOME=/conf TMPDIR=/conf/tmp PATH=/opt/ha/bin:/usr/bin:/bin LANG=C.UTF-8 TZ=UTC \
    /opt/ha/bin/python -m homeassistant --config /conf --skip-pip --log-no-color
"""

CONFIGURATION = """
homeassistant: {name: rig, latitude: 0, longitude: 0, elevation: 0, unit_system: metric, currency: EUR, country: DE,
  language: en, time_zone: UTC}
http: {server_host: 127.0.0.1, server_port: %(http)d}
frontend: {development_repo: /conf/pages}
onboarding:
config:
logger: {default: warning, logs: {homeassistant.components.mqtt: debug}}
notify: [{platform: group, name: mobile_app_your_phone, services: [{action: persistent_notification}]}]
automation: !include automations.yaml
"""
# `notify` stands in for the owner's phone: the automations of the documentation run as they are printed there.


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class House:
    """One Home Assistant with its configuration in *conf*; ``stop`` then ``start`` is a restart."""

    def __init__(self, root: Path, conf: Path, automations: str) -> None:
        self.root, self.conf, self.http = root, conf, free_port()
        self.url = f"http://127.0.0.1:{self.http}"
        self.states: dict[str, dict[str, Any]] = {}
        self.heard: list[dict[str, Any]] = []
        self._token = ""
        self._asked = 0
        self._replies: dict[int, dict[str, Any]] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: ClientConnection | None = None
        for folder in ("pages/hass_frontend", "tmp"):
            (conf / folder).mkdir(parents=True)
        (conf / "configuration.yaml").write_text(CONFIGURATION % {"http": self.http})
        (conf / "automations.yaml").write_text(automations)

    def start(self) -> None:
        """Start it and connect; the first time also make its owner's account."""
        (self.root / "conf").mkdir(exist_ok=True)
        with (self.conf / "out.txt").open("ab") as out:
            self._process = subprocess.Popen(
                [*OWN_NAMESPACE, "sh", "-ec", STARTED_IN_THE_ROOT, "sh", str(self.root), str(self.conf)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._wait_for_http()
        if not self._token:
            self._token = self._make_owner()
        self._socket = connect(
            f"ws://127.0.0.1:{self.http}/api/websocket", max_size=None, open_timeout=PATIENCE_S, close_timeout=1
        )
        self._receive(PATIENCE_S)
        self._socket.send(json.dumps({"type": "auth", "access_token": self._token}))
        self.version: str = self._receive(PATIENCE_S)["ha_version"]
        for kind in ("state_changed", "automation_triggered", "call_service"):
            self.ask("subscribe_events", event_type=kind)
        self.states = {one["entity_id"]: one for one in self.ask("get_states")}

    def stop(self) -> None:
        """End it as its owner would: it writes down what it knows first."""
        if self._process is None:
            return
        if self._socket is not None and self._process.poll() is None:
            with contextlib.suppress(ConnectionClosed, TimeoutError):  # it may be gone before it has answered
                self.ask("call_service", domain="homeassistant", service="stop")
            self._socket.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = self._socket = None
        self.states = {}

    def join_broker(self, port: int) -> None:
        """What "Add integration, MQTT" does, with the broker on this machine."""
        flow = self._post("/api/config/config_entries/flow", {"handler": "mqtt"})
        done = self._post(f"/api/config/config_entries/flow/{flow['flow_id']}", {"broker": "127.0.0.1", "port": port})
        assert done["type"] == "create_entry", done

    def ask(self, kind: str, **words: Any) -> Any:
        """One request over the websocket, and its result."""
        assert self._socket is not None
        self._asked += 1
        number = self._asked
        self._socket.send(json.dumps({"id": number, "type": kind, **words}))
        end = time.monotonic() + PATIENCE_S
        while number not in self._replies:
            self._receive(end - time.monotonic())
        reply = self._replies.pop(number)
        assert reply["success"], (kind, reply.get("error"))
        return reply["result"]

    def until(self, what: str, found: Callable[[], T | None], within_s: float = PATIENCE_S) -> T:
        """Listen until *found* gives something; AssertionError with *what* and the latest states if it never does."""
        end = time.monotonic() + within_s
        while not (answer := found()):
            if time.monotonic() > end:
                raise AssertionError(f"{what}: not within {within_s:g} s; {self._told()}")
            self.listen(0.2)
        return answer

    def listen(self, for_s: float) -> None:
        """Take in what it says for this long."""
        end = time.monotonic() + for_s
        while (left := end - time.monotonic()) > 0:
            try:
                self._receive(left)
            except TimeoutError:
                return

    def state(self, entity: str) -> str | None:
        one = self.states.get(entity)
        return None if one is None else str(one["state"])

    def until_state(self, entity: str, *wanted: str) -> None:
        self.until(f"{entity} is {' or '.join(wanted)}", lambda: self.state(entity) in wanted)

    def attributes(self, entity: str) -> dict[str, Any]:
        return dict(self.states[entity]["attributes"])

    def entities(self, door: str) -> dict[str, dict[str, Any]]:
        """The registry's entries of one door, by entity id; what is disabled has an entry and no state."""
        rows = self.registry()
        return {row["entity_id"]: row for row in rows if str(row["unique_id"]).startswith(f"doorbell-{door}-")}

    def registry(self) -> list[dict[str, Any]]:
        """Every entity that came by MQTT, in full."""
        ids = [row["entity_id"] for row in self.ask("config/entity_registry/list") if row["platform"] == "mqtt"]
        rows = self.ask("config/entity_registry/get_entries", entity_ids=ids) if ids else {}
        return [row for row in rows.values() if row is not None]  # None: gone since the list was made

    def device(self, door: str) -> dict[str, Any] | None:
        rows = self.ask("config/device_registry/list")
        return next((row for row in rows if ["mqtt", f"doorbell-{door}"] in row["identifiers"]), None)

    def runs(self, automation: str) -> int:
        """How often the automation with this alias has run."""
        return sum(
            one["event_type"] == "automation_triggered" and one["data"].get("name") == automation for one in self.heard
        )

    def notifications(self) -> list[dict[str, Any]]:
        return list(self.ask("persistent_notification/get"))

    def complaints(self) -> list[str]:
        """Warnings and errors of its log that name MQTT or a doorbell."""
        path = self.conf / "home-assistant.log"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        loud = [line for line in lines if " WARNING " in line or " ERROR " in line]
        return [line for line in loud if "mqtt" in line.lower() or "doorbell" in line.lower()]

    def _told(self) -> str:
        ours = {one: state["state"] for one, state in self.states.items() if "doorbell" in one}
        return f"states {ours}; log {self.complaints()[-5:]}"

    def _receive(self, timeout: float) -> dict[str, Any]:
        assert self._socket is not None
        message: dict[str, Any] = json.loads(self._socket.recv(timeout=max(timeout, 0)))
        if message["type"] == "result":
            self._replies[message["id"]] = message
        elif message["type"] == "event":
            self._take(message["event"])
        return message

    def _take(self, event: dict[str, Any]) -> None:
        self.heard.append(event)
        if event["event_type"] == "state_changed":
            if event["data"]["new_state"] is None:
                self.states.pop(event["data"]["entity_id"], None)
            else:
                self.states[event["data"]["entity_id"]] = event["data"]["new_state"]

    def _wait_for_http(self) -> None:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/manifest.json", timeout=1):
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.2)
        raise AssertionError("Home Assistant did not start: " + (self.conf / "out.txt").read_text()[-3000:])

    def _make_owner(self) -> str:
        """Its first-start page: an owner, whose token lasts half an hour, longer than any run."""
        client = {"client_id": f"{self.url}/"}
        owner = {"name": "Owner", "username": "owner", "password": secrets.token_hex(16), "language": "en"}
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                code = self._post("/api/onboarding/users", {**client, **owner})["auth_code"]
                break
            except urllib.error.HTTPError as error:
                # The page answers before all of Home Assistant is there.
                if error.code != 404 or time.monotonic() > end:
                    raise
                time.sleep(0.2)
        form = urllib.parse.urlencode({**client, "grant_type": "authorization_code", "code": code}).encode()
        with urllib.request.urlopen(f"{self.url}/auth/token", data=form, timeout=PATIENCE_S) as reply:
            return str(json.load(reply)["access_token"])

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self.url + path, data=json.dumps(body).encode(), headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
            answer: dict[str, Any] = json.load(reply)
        return answer


def why_not(build: Path) -> str:
    """Why no Home Assistant can be started from *build* here, or nothing."""
    if os.geteuid():
        return "needs root (chroot): run `sudo make test-ha`"
    if not (build / "built").exists():
        return "no Home Assistant built yet: run `make test-ha`, which builds it once"
    return ""
