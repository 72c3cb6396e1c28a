"""The owner's identity: 32 secret bytes that open every clip, as an age identity file or as 24 words on paper.

It is made and kept on the owner's computer, never on the door. The file is what `age-keygen` writes, so `age -d -i
FILE` opens clips without this software. The words are the same 32 bytes in BIP-39's English list (entropy and checksum;
no passphrase, no stretching), so paper alone brings everything back.
"""

import difflib
import os
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import Attribute, field, frozen
from nacl.bindings import crypto_scalarmult_base, crypto_sign_seed_keypair

from doorbell.clips import bech32
from doorbell.clips.recipient import Recipient
from doorbell.errors import DeviceError, Mistake
from doorbell.hkdf import hkdf

if TYPE_CHECKING:
    from mnemonic import Mnemonic

SECRET_BYTES: Final = 32
WORDS: Final = 24
MAX_FILE: Final = 64 * 1024  # bytes
MAX_IDENTITIES: Final = 64  # in one file
_HRP: Final = "age-secret-key-"
_SIGNING: Final = b"doorbell/v1/owner-signing"


def _whole(_: object, __: "Attribute[bytes]", secret: bytes) -> None:
    if len(secret) != SECRET_BYTES:
        raise Mistake(f"An identity has {SECRET_BYTES} bytes, this one has {len(secret)}: copy the whole line again.")


@frozen
class Identity:
    """An age X25519 identity; `secret` is its 32 bytes, which no representation of it shows."""

    secret: bytes = field(repr=False, validator=_whole)

    @classmethod
    def make(cls) -> "Identity":
        return cls(os.urandom(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> "Identity":
        """Read `AGE-SECRET-KEY-1…`. Raises Mistake, which never repeats the text."""
        decoded = bech32.decode(text)
        if decoded is None or decoded[0] != _HRP or text != text.upper():
            raise Mistake("The private key has a typing error (its checksum is wrong): copy the whole line again.")
        return cls(decoded[1])

    @classmethod
    def from_words(cls, text: str) -> "Identity":
        """Read the 24 words, in any case and spacing, numbered or not. Raises Mistake naming the word that is wrong."""
        words = re.findall(r"[^\W\d_]+", text.lower())
        if len(words) != WORDS:
            raise Mistake(f"{WORDS} words make an identity, {len(words)} were given: read the paper again.")
        for place, word in enumerate(words, start=1):
            if word not in _known():
                raise Mistake(f'Word {place}, "{word}", is not in the list{_hint(word)}.')
        try:
            return cls(bytes(_english().to_entropy(words)))
        except ValueError:
            raise Mistake(
                "The words are all in the list but do not fit together (their checksum is wrong): "
                "look for a word that was swapped or misread."
            ) from None

    @property
    def recipient(self) -> Recipient:
        return Recipient(crypto_scalarmult_base(self.secret))

    @property
    def signing_key(self) -> bytes:
        """The seed (32 bytes) of the Ed25519 key that signs a roster when every phone is lost."""
        return hkdf(self.secret, info=_SIGNING)

    @property
    def verify_key(self) -> bytes:
        """The public half (32 bytes) of `signing_key`."""
        public, _ = crypto_sign_seed_keypair(self.signing_key)
        return public

    def words(self) -> str:
        """The secret as 24 English words, a space between them."""
        return _english().to_mnemonic(self.secret)

    def line(self) -> str:
        """The secret as `AGE-SECRET-KEY-1…`."""
        return bech32.encode(_HRP, self.secret).upper()


def write_identity(path: Path, identity: Identity, created: datetime) -> None:
    """Write an age identity file that only this user may read (0600), durably.

    Raises Mistake if `path` exists, DeviceError if it cannot be written (nothing is left behind then).
    """
    stamp = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = f"# created: {stamp}\n# public key: {identity.recipient}\n{identity.line()}\n"
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Mistake(
            f"{path} exists and is not overwritten, for it may hold the only key to your clips: choose another name."
        ) from None
    except OSError as error:
        raise Mistake(f"{path} cannot be made ({error.strerror}): choose another place.") from None
    try:
        with open(file, "w", encoding="ascii") as out:  # noqa: PTH123  the descriptor carries the mode
            out.write(text)
            out.flush()
            os.fsync(file)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise DeviceError(
            f"{path} could not be written ({error.strerror}): free some space or choose another place."
        ) from None


def read_identities(path: Path) -> tuple[Identity, ...]:
    """The identities of an age identity file, comments and empty lines skipped, at least one.

    Raises Mistake that says what the file is instead: missing, locked with a passphrase, a recipient, a key of another
    kind.
    """
    lines = [line.strip() for line in _read_text(path).splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    if not keys:
        raise Mistake(f"{path} holds no private key: make one with `doorbell keygen`.")
    if len(keys) > MAX_IDENTITIES:
        raise Mistake(f"{path} holds more than {MAX_IDENTITIES} private keys: split it.")
    return tuple(_parse_line(path, line) for line in keys)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        raise Mistake(f"There is no identity file {path}: give the file that `doorbell keygen` made.") from None
    except OSError as error:
        raise Mistake(
            f"The identity file {path} cannot be read ({error.strerror}): check its name and rights."
        ) from None
    if data.startswith((b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")):
        raise Mistake(f"{path} is locked with a passphrase: unlock it first with `age -d {path} > key.txt`.")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    if len(data) > MAX_FILE or (data and not text):
        raise Mistake(f"{path} is not an identity file: give the file that `doorbell keygen` made.")
    return text


def _parse_line(path: Path, line: str) -> Identity:
    if line.startswith("age1"):
        raise Mistake(f"{path} holds a recipient, which only seals: give the private file that `doorbell keygen` made.")
    if line.upper().startswith(("AGE-PLUGIN-", "AGE-SECRET-KEY-PQ-")):
        raise Mistake(f"{path} holds a hardware or post-quantum key, which is not supported here: open with `age -d`.")
    if "PRIVATE KEY" in line:
        raise Mistake(f"{path} is an SSH or TLS key: give the private file that `doorbell keygen` made.")
    if not line.startswith("AGE-SECRET-KEY-1"):
        raise Mistake(f"{path} is not an identity file: give the file that `doorbell keygen` made.")
    return Identity.parse(line)


@cache
def _english() -> "Mnemonic":
    from mnemonic import Mnemonic  # noqa: PLC0415  reads its word list: only for who needs words

    return Mnemonic("english")


@cache
def _known() -> dict[str, frozenset[str]]:
    """The words of the list, each with its letters."""
    return {word: frozenset(word) for word in _english().wordlist}


def _hint(word: str) -> str:
    """What a person may have meant. One slip changes the length by one at most, and takes and adds a letter at most:
    only of such words, which are few, it is worth asking how alike they are."""
    letters = frozenset(word)
    alike = [one for one, its in _known().items() if abs(len(one) - len(word)) <= 1 and len(its ^ letters) <= 2]
    near = difflib.get_close_matches(word, alike, n=1)
    return f': perhaps it is "{near[0]}"' if near else ": read the paper again"
