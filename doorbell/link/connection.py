"""One connection to the broker: a fresh paho client, driven by a thread of ours.

Why a thread of ours drives paho's loop, and not ``loop_start``: paho's own thread dies by whatever a broker can make
its parser raise, while ``is_connected()`` stays true; it swallows why a connection could not be made; and it could
be made neither to drop unsent bytes nor to fetch a pinned certificate without stopping the door's loop. Here the
thread owns the socket from its name's lookup to its close, and nobody else touches it: others put a message into
paho's queue, or raise a flag, and wake it through a pair of sockets.

A client is thrown away with its queue when its connection ends. It never reconnects.
"""

from __future__ import annotations

import select
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from doorbell.errors import DeviceError
from doorbell.events import Acked, Heard, Offline, Online, Refused
from doorbell.link import messages, reasons, tls
from doorbell.link.messages import Message
from doorbell.link.settings import MqttSettings
from doorbell.link.sockets import SEND_BUFFER, linger, pending, prompt

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode

KEEPALIVE_S = 15
CONNECT_S = 10.0
"""For TCP (each address), for the TLS handshake, and for the broker's CONNACK."""
UNANSWERED_S = 3.0
"""A broker that knows only MQTT 3.1.1 may misread a CONNECT of version 5 and wait for the rest of it for ever."""
WILL_DELAY_S = 10
"""The session lives as long as its will waits: a session that ends earlier would send the will at once."""
LARGEST_HEARD = 128 * 1024
GOODBYE_S = 2.0


Put = Callable[[Online | Offline | Acked | Refused | Heard], None]


class _Client(paho.Client):
    """paho binds its socket to "any address, any port" before it connects, which changes nothing but is forbidden
    by the unit's SocketBindDeny=any: in the sandbox the door reached no broker at all.
    """

    def _create_socket_connection(self) -> socket.socket:
        return socket.create_connection((self._host, self._port), timeout=self._connect_timeout)


class _Expiry(Properties):
    """A message's expiry in seconds, packed once: paho does it for each message, which takes a third of its publish."""

    def __init__(self, seconds: int) -> None:
        super().__init__(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        self.MessageExpiryInterval = seconds

    @cached_property
    def _packed(self) -> bytes:
        packed: bytes = super().pack()  # type: ignore[no-untyped-call]
        return packed

    def pack(self) -> bytes:
        return self._packed


class _Ended(Exception):  # noqa: N818  an end is no error
    """The connection is over; the text is the sentence for the owner."""


class Connection(threading.Thread):
    """One connection from the name's lookup to the close of its socket."""

    def __init__(
        self, settings: MqttSettings, door: str, put: Put, subscriptions: tuple[tuple[str, int], ...], *,
        generation: int, protocol: int, learn: Callable[[int], None],
    ) -> None:  # fmt: skip
        super().__init__(name=f"link-{generation}", daemon=True)
        self._settings, self._door, self._put, self._subscriptions = settings, door, put, subscriptions
        self._generation, self._protocol, self._learn = generation, protocol, learn
        self._where = f"{settings.host}:{settings.port}"
        self._client: paho.Client | None = None
        self._answered = False
        self._online = False
        self._written = threading.Event()
        self._written.set()
        self._dropped = False
        self._leaving = False
        self._refusal: ReasonCode | None = None
        self._said: ReasonCode | None = None
        self._largest = sys.maxsize
        self._expiries: dict[int, _Expiry] = {}
        """By their seconds: the topics have four, and making one anew takes longer than the publish."""
        self._goodbye: int | None = None
        self._goodbye_heard = threading.Event()
        self._woken, self._wake_end = socket.socketpair()
        self._woken.setblocking(False)
        self._wake_end.setblocking(False)

    # ---- called from the main loop

    def publish(self, message: Message) -> int | None:
        client = self._client
        if client is None or not self._online or self._dropped:
            return None
        if len(message.topic) + len(message.payload) + 64 > self._largest:
            return None
        properties = None
        if self._protocol == 5 and message.expiry_s is not None:
            properties = self._expiries.get(message.expiry_s)
            if properties is None:
                properties = self._expiries[message.expiry_s] = _Expiry(message.expiry_s)
        self._written.clear()
        info = client.publish(message.topic, message.payload, message.qos, message.retain, properties)
        self._wake()  # paho calls for it only when it did not believe itself to be writing already
        return info.mid if info.rc == paho.MQTT_ERR_SUCCESS else None

    def let_through(self, seconds: float) -> None:
        """Wait until what was published has been handed to the kernel, at most *seconds*."""
        self._written.wait(seconds)

    def drop(self) -> None:
        self._dropped, self._online = True, False
        self._wake()

    def close(self, goodbye: Message) -> None:
        ends = time.monotonic() + GOODBYE_S
        self._goodbye = self.publish(goodbye)
        if self._goodbye is None:
            return
        self._goodbye_heard.wait(GOODBYE_S)
        self._online, self._leaving = False, True
        self._wake()
        self.join(max(0.0, ends - time.monotonic()))

    def _wake(self) -> None:
        try:
            self._wake_end.send(b"!")
        except OSError:
            return  # full: it is awake; closed: it has ended

    # ---- the thread

    def run(self) -> None:
        try:
            why = self._live()
        finally:
            self._online = False
            self._client = None  # they hold each other: else each link that ended would wait for the collector
        self._put(Offline(time.monotonic(), self._generation, why))

    def _live(self) -> str:
        try:
            self._serve()
        except (_Ended, DeviceError) as end:
            return str(end)
        except OSError as error:
            return reasons.sentence(error, self._where)
        except Exception as error:  # noqa: BLE001  whatever paho's parser raises on a broker's bytes ends this link only
            return f"The broker at {self._where} sent what is no MQTT ({type(error).__name__})."
        finally:
            self._woken.close()
            self._wake_end.close()
        raise AssertionError("a connection ends by saying why")

    def _serve(self) -> None:
        reasons.check_name(self._settings.host)
        context = self._context()
        while True:
            client = self._client = self._make(context)
            try:
                client.connect(
                    self._settings.host, self._settings.port, KEEPALIVE_S, properties=self._wishes(),
                    clean_start=True if self._protocol == 5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
                )  # fmt: skip
                if self._loop(client):
                    return
            finally:
                if (sock := client.socket()) is not None:
                    sock.close()
            self._protocol = 4  # nothing depends on version 5

    def _context(self) -> ssl.SSLContext | None:
        how = self._settings
        if how.tls == "off":
            return None
        if how.tls == "pin":
            return tls.pinned_context(how.host, how.port, how.pin_sha256, CONNECT_S)
        return tls.authority_context(how.ca_file)

    def _make(self, context: ssl.SSLContext | None) -> paho.Client:
        client = _Client(
            CallbackAPIVersion.VERSION2,
            self._settings.client_id or f"doorbell-{self._door}",
            protocol=paho.MQTTv5 if self._protocol == 5 else paho.MQTTv311,
            clean_session=None if self._protocol == 5 else True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        if context is not None:
            client.tls_set_context(context)
        if self._settings.username:
            client.username_pw_set(self._settings.username, self._settings.password or None)
        will = messages.availability(self._door, online=False)
        later = None
        if self._protocol == 5:
            later = _properties(PacketTypes.WILLMESSAGE)
            later.WillDelayInterval = WILL_DELAY_S
        client.will_set(will.topic, will.payload, will.qos, will.retain, later)
        client.on_socket_open = self._opened
        client.on_socket_register_write = lambda *_: self._wake()
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._acked
        client.on_message = self._heard
        return client

    def _wishes(self) -> Properties | None:
        if self._protocol != 5:
            return None
        wishes = _properties(PacketTypes.CONNECT)
        wishes.SessionExpiryInterval = WILL_DELAY_S
        wishes.MaximumPacketSize = LARGEST_HEARD + 1024
        return wishes

    def _loop(self, client: paho.Client) -> bool:
        """Serve until the connection ends (_Ended); False when it should be tried with MQTT 3.1.1."""
        answer_by = time.monotonic() + (UNANSWERED_S if self._protocol == 5 else CONNECT_S)
        sock = client.socket()
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        while sock is not None:
            ended = self._turn(client, sock, poll)
            unanswered = not self._answered and (ended or time.monotonic() >= answer_by)
            if self._protocol == 5 and (unanswered or self._refused_version()):
                self._answered, self._refusal, self._said = False, None, None
                return False
            if unanswered:
                raise _Ended(f"What listens at {self._where} did not answer as a broker does: check mqtt.port.")
            if ended:
                break
        raise _Ended(self._why_ended())

    def _turn(self, client: paho.Client, sock: Any, poll: select.poll) -> bool:  # noqa: ANN401
        """Wait for something to do, at most 0.5 s, and do it; True when the connection has ended."""
        poll.register(sock, select.POLLIN | (select.POLLOUT if client.want_write() else 0))
        ready = dict(poll.poll(0 if pending(sock) else 500))
        if self._dropped:
            raise _Ended("The door dropped the connection.")
        if self._woken.fileno() in ready:
            self._drain()
        if self._leaving:
            self._leaving = False
            linger(sock, on=False)
            client.disconnect()
        ended = paho.MQTT_ERR_SUCCESS
        if pending(sock) or ready.get(sock.fileno(), 0) & ~select.POLLOUT:
            ended = client.loop_read()
            if client.socket() is not None:  # paho closes it where the broker refuses or leaves
                prompt(sock)
            self._bound(client)
        if ended == paho.MQTT_ERR_SUCCESS and client.want_write():
            ended = client.loop_write()
        if not client.want_write():
            self._written.set()
        if ended == paho.MQTT_ERR_SUCCESS:
            ended = client.loop_misc()
        return ended != paho.MQTT_ERR_SUCCESS or client.socket() is None

    def _drain(self) -> None:
        try:
            self._woken.recv(4096)
        except BlockingIOError:
            return

    def _bound(self, client: paho.Client) -> None:
        # A broker that minds MaximumPacketSize sends nothing so large. paho would collect up to 256 MB for one that
        # does not; its half-read packet is the only place to see it coming.
        if client._in_packet["remaining_length"] > 8 * LARGEST_HEARD:  # noqa: SLF001
            raise _Ended(f"The broker at {self._where} sent a message of more than {8 * LARGEST_HEARD // 1024} KiB.")

    def _refused_version(self) -> bool:
        return self._refusal is not None and self._refusal.value == reasons.UNSUPPORTED_VERSION

    def _why_ended(self) -> str:
        if self._refusal is not None:
            return reasons.refusal(self._refusal, self._where)
        return reasons.ending(self._said, self._where)

    # ---- paho's callbacks: at most one put each

    def _opened(self, _: Any, __: Any, sock: Any) -> None:  # noqa: ANN401  paho's own types say no more
        # After the handshake and before the CONNECT, which carries the login.
        if self._dropped:
            raise _Ended("The door dropped the connection.")
        if self._settings.tls == "pin" and not tls.is_pinned(
            sock.getpeercert(binary_form=True) or b"", self._settings.pin_sha256
        ):
            raise tls.PinMismatch
        linger(sock, on=True)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def _connected(self, client: paho.Client, _: Any, __: Any, reason: ReasonCode, properties: Any) -> None:  # noqa: ANN401
        self._answered = True
        if reason.is_failure:
            self._refusal = reason
            return
        self._learn(self._protocol)
        self._largest = getattr(properties, "MaximumPacketSize", sys.maxsize)
        if self._subscriptions:
            client.subscribe(list(self._subscriptions))
        self._online = True
        self._put(Online(time.monotonic(), self._generation, self._protocol, self._largest))

    def _disconnected(self, _: Any, __: Any, ___: Any, reason: ReasonCode, ____: Any) -> None:  # noqa: ANN401
        self._said = reason

    def _acked(self, _: Any, __: Any, mid: int, reason: ReasonCode, ___: Any) -> None:  # noqa: ANN401
        if mid == self._goodbye:
            self._goodbye_heard.set()
        if reason.is_failure:
            full = reason.value == reasons.QUOTA_EXCEEDED
            self._put(Refused(time.monotonic(), self._generation, mid, full))
        else:
            self._put(Acked(time.monotonic(), self._generation, mid))

    def _heard(self, _: Any, __: Any, message: paho.MQTTMessage) -> None:  # noqa: ANN401
        if len(message.payload) <= LARGEST_HEARD:
            self._put(Heard(time.monotonic(), self._generation, message.topic, bytes(message.payload), message.retain))


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]
