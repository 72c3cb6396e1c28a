"""The door's own two keys: one signs what the door says, one opens what is said to it. Neither opens a clip.

They are made on the door at its first start and never leave it. Each is a file of 32 bytes that only the daemon's user
may read. The signing key is made first and both are durable before they are used, so a box key without a signing key is
no power cut but a loss, and is told instead of becoming a new door behind the phones' backs.
"""

import base64
import os
import stat
from pathlib import Path
from typing import Final, Literal, get_args

from attrs import field, frozen
from nacl.bindings import crypto_box_seal_open, crypto_scalarmult_base, crypto_sign, crypto_sign_seed_keypair
from nacl.exceptions import CryptoError

from doorbell import durable
from doorbell.errors import DeviceError, Mistake

Kind = Literal["command", "reply", "hello", "alert", "roster", "checkpoint"]

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_KINDS: Final = get_args(Kind)
_ENTRY: Final = b"doorbell/v1/sign-entry\x00"
FOLDER: Final = "keys"
SIGNING: Final = "signing.key"
BOX: Final = "box.key"


def signed_bytes(kind: Kind, json: bytes) -> bytes:
    """What a signature of a JSON document covers: `doorbell/v1/<kind>`, a zero byte, the exact bytes."""
    if kind not in _KINDS:
        raise ValueError(f"{kind!r} is not a kind of signed document")
    return f"doorbell/v1/{kind}".encode() + b"\x00" + json


def _length(_: object, __: object, secret: bytes) -> None:
    if len(secret) != KEY_BYTES:
        raise ValueError(f"a door key has {KEY_BYTES} bytes")


@frozen(repr=False)
class DoorKeys:
    """An Ed25519 seed that signs and an X25519 secret that opens sealed boxes, 32 bytes each."""

    signing_seed: bytes = field(validator=_length)
    box_secret: bytes = field(validator=_length)

    def __repr__(self) -> str:
        return f"DoorKeys(verify_key={self.verify_key.hex()})"

    @property
    def verify_key(self) -> bytes:
        """The 32 public bytes that check this door's signatures."""
        public, _ = crypto_sign_seed_keypair(self.signing_seed)
        return public

    @property
    def box_key(self) -> bytes:
        """The 32 public bytes to which commands and pairing are sealed."""
        return crypto_scalarmult_base(self.box_secret)

    def sign(self, kind: Kind, json: bytes) -> bytes:
        """64 bytes over `signed_bytes(kind, json)`. Raises ValueError for a kind that the formats do not know."""
        return self._signature(signed_bytes(kind, json))

    def sign_entry(self, entry_hash: bytes) -> bytes:
        """64 bytes for a journal entry's hash (32 bytes)."""
        if len(entry_hash) != 32:
            raise ValueError("an entry's hash has 32 bytes")
        return self._signature(_ENTRY + entry_hash)

    def open_box(self, sealed: bytes) -> bytes | None:
        """What was sealed to the box key; None for anything else. Clips are sealed otherwise: it opens none."""
        try:
            return crypto_box_seal_open(sealed, self.box_key, self.box_secret)
        except (CryptoError, ValueError, TypeError):
            return None

    def signed_document(self, kind: Kind, text: str) -> dict[str, str]:
        """`text` (JSON) as it travels inside JSON: itself and its signature in base64."""
        return {"json": text, "sig": base64.b64encode(self.sign(kind, text.encode())).decode()}

    def _signature(self, message: bytes) -> bytes:
        _, secret = crypto_sign_seed_keypair(self.signing_seed)
        return crypto_sign(message, secret)[:SIGNATURE_BYTES]


def load_or_make(folder: Path) -> DoorKeys:
    """The keys in `folder`, made on the first start.

    Raises Mistake for a folder or file that others may read, a file of the wrong kind or length, or a missing signing
    key beside a box key; DeviceError if the card does not take them.
    """
    try:
        _private_folder(folder)
        signing, box = folder / SIGNING, folder / BOX
        if durable.is_there(box) and not durable.is_there(signing):
            raise Mistake(
                f"{signing} is gone: put it back from a backup, or remove {box} too and pair every phone again."
            )
        return DoorKeys(_load_or_make(signing), _load_or_make(box))
    except OSError as error:
        raise DeviceError(
            f"The door's keys in {folder} cannot be used ({error.strerror}): check the folder's owner and the card."
        ) from error


def _private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        durable.sync_folder(folder.parent)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise Mistake(f"{folder} is not a folder: move it away.")
    if status.st_mode & 0o077:
        raise Mistake(f"Others may look into the key folder {folder}: run `chmod 700 {folder}`.")


def _load_or_make(path: Path) -> bytes:
    if not durable.is_there(path):
        _make(path)
    if path.is_symlink():
        raise Mistake(f"{path} is a link: put the key file itself there.")
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(file, "rb") as opened:  # noqa: PTH123  the checks below must be of the very file that is read
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise Mistake(f"{path} is not a file: move it away.")
        if status.st_mode & 0o077:
            raise Mistake(f"Others may read the key {path}: run `chmod 600 {path}`.")
        key = opened.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise Mistake(
            f"{path} is not a key of {KEY_BYTES} bytes: put it back from a backup, or remove it and pair again."
        )
    return key


def _make(path: Path) -> None:
    durable.replace(path, os.urandom(KEY_BYTES))
