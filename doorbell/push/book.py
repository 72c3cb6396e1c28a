"""How each phone of the household wants to be woken, and whether it was seen to work; as the card keeps it.

A subscription is an address at a push service and two keys of the browser that made it: whoever holds all three can
make that phone show something, so the file is the door's alone (0600) and never leaves it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from attrs import asdict, evolve, field, frozen

from doorbell import closed

MOST_PHONES: Final = 16
MOST_FILE: Final = 64 * 1024
MOST_ENDPOINT: Final = 1024
"""Characters of an endpoint; those of today's push services have 150 to 500."""

Way = Literal["web", "ntfy", "homeassistant", "none"]
WAYS: Final = ("web", "ntfy", "homeassistant", "none")

HOSTS: Final = ("fcm.googleapis.com", "updates.push.services.mozilla.com")
DOMAINS: Final = ("push.apple.com", "notify.windows.com")
"""The push services of Chrome, Firefox, Safari and Edge. A browser names its own when a phone subscribes; any other
host is refused, because the door would connect to whatever a member names."""

_ENDPOINT: Final = re.compile(r"https://(?P<host>[a-z0-9.-]{1,253})(?::(?P<port>[0-9]{1,5}))?(?P<path>/[!-~]*)")
_MEMBER: Final = "[a-z2-7]{26}"
_TOPIC: Final = "doorbell-[a-z2-7]{26}"


@frozen
class Subscription:
    """``p256dh`` is the browser's P-256 point, uncompressed (65 bytes); ``auth`` its 16 random bytes."""

    endpoint: str = field(repr=False)
    p256dh: bytes = field(repr=False)
    auth: bytes = field(repr=False)


@frozen
class Phone:
    """One member's choice. ``confirmed`` is when a person said that the locked phone rang (RFC 3339), or empty;
    ``ended``: the push service has let go of the subscription."""

    way: Way
    subscription: Subscription | None = None
    confirmed: str = ""
    ended: bool = False

    @property
    def is_sure(self) -> bool:
        return bool(self.confirmed) and not self.ended


@frozen
class Book:
    """``key`` is the secret half of the door's VAPID key, ``public`` its other half once the postman has said it."""

    key: bytes = field(repr=False)
    topic: str = field(repr=False)
    public: bytes = b""
    phones: Mapping[str, Phone] = field(factory=dict)

    def with_phone(self, member: str, phone: Phone) -> Book:
        """Raises ValueError where there is no room for one more."""
        phones = {**self.phones, member: phone}
        if len(phones) > MOST_PHONES:
            raise ValueError("too many phones")
        return evolve(self, phones=phones)

    def without(self, *members: str) -> Book:
        return evolve(self, phones={name: one for name, one in self.phones.items() if name not in members})


def begin(secret: bytes) -> Book:
    """A fresh book from 48 random bytes: 32 are the key, 16 name the ntfy topic."""
    return Book(secret[:32], "doorbell-" + base64.b32encode(secret[32:48]).decode().rstrip("=").lower())


def place(endpoint: str, own: str = "") -> tuple[str, int, str]:
    """Host, port and path of an *endpoint*; *own* is one more ``host`` or ``host:port`` that is allowed.

    Raises ValueError for anything that is no https address of an allowed push service.
    """
    match = _ENDPOINT.fullmatch(endpoint)
    if match is None or len(endpoint) > MOST_ENDPOINT or "#" in endpoint:
        raise ValueError("no https address")
    host, port = match["host"], match["port"]
    known = host in HOSTS or any(host.endswith("." + domain) for domain in DOMAINS)
    if (known and port is None) or (own and f"{host}:{port or 443}" == (own if ":" in own else f"{own}:443")):
        return host, int(port or 443), match["path"]
    raise ValueError("no push service that the door knows")


def read_subscription(value: object) -> Subscription:
    """From a phone or the card. Raises ValueError; whether the host is allowed is ``place``'s to say."""
    shape = {
        "endpoint": closed.matching(f"https://[!-~]{{1,{MOST_ENDPOINT - 8}}}"),
        "p256dh": _url64(65),
        "auth": _url64(16),
    }
    found = closed.fields(value, shape)
    if found["p256dh"][0] != 4:
        raise ValueError("no uncompressed point")
    return Subscription(found["endpoint"], found["p256dh"], found["auth"])


def dump(book: Book) -> bytes:
    """As ``load`` reads it."""
    phones = {
        member: asdict(one, recurse=False) | {"subscription": _spelt(one.subscription)}
        for member, one in book.phones.items()
    }
    key, public = closed.to_base64(book.key), to_url64(book.public)
    return closed.dump({"v": 1, "key": key, "topic": book.topic, "public": public, "phones": phones}) + b"\n"


def load(text: bytes) -> Book:
    """Raises ValueError for anything that ``dump`` did not write."""
    shape: dict[str, closed.Kind] = {
        "key": closed.base64_of(32), "topic": closed.matching(_TOPIC), "public": _public,
        "phones": _phones,
    }  # fmt: skip
    return Book(**closed.versioned(text, MOST_FILE, shape))


def to_url64(data: bytes) -> str:
    """Base64 as browsers and JWTs spell it: for URLs, without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_url64(spelt: str) -> bytes:
    """Raises ValueError."""
    try:
        data = base64.b64decode(spelt + "=" * (-len(spelt) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("no base64") from None
    if to_url64(data) != spelt:
        raise ValueError("not its one spelling")
    return data


def _url64(length: int) -> closed.Kind:
    def kind(value: object) -> bytes:
        data = from_url64(closed.text(value))
        if len(data) != length:
            raise ValueError(f"not {length} bytes")
        return data

    return kind


def _public(value: object) -> bytes:
    return _url64(65)(value) if value else b""


def _spelt(one: Subscription | None) -> dict[str, str] | None:
    if one is None:
        return None
    return {"endpoint": one.endpoint, "p256dh": to_url64(one.p256dh), "auth": to_url64(one.auth)}


def _phones(value: object) -> dict[str, Phone]:
    if not isinstance(value, dict) or len(value) > MOST_PHONES:
        raise ValueError("no phones")
    return {closed.matching(_MEMBER)(member): _phone(one) for member, one in value.items()}


def _phone(value: object) -> Phone:
    shape: dict[str, closed.Kind] = {
        "way": closed.matching("|".join(WAYS)), "subscription": lambda one: one and read_subscription(one),
        "confirmed": closed.matching("[0-9TZ:.-]{0,32}"), "ended": closed.flag,
    }  # fmt: skip
    found: dict[str, Any] = closed.fields(value, shape)
    return Phone(cast("Way", found["way"]), found["subscription"], found["confirmed"], found["ended"])
