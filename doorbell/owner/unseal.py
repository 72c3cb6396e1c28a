"""Opens age files on the owner's computer, chunk by chunk, and gives away nothing that was not authenticated.

The file may come from anybody: anyone who knows a recipient can make one, and a thief may have changed it. So the rules
of C2SP age.md are taken strictly (a file has one spelling), every line is bounded, memory holds two chunks at most, and
nothing but UnsealError leaves here, whatever the bytes are (errors of reading the source itself pass through).

What a reader can know about a bad payload, and the word it uses for it:

- cut: the file ends before a good final chunk. A last piece shorter than a chunk that does not authenticate counts as
  cut: a torn chunk and a changed short final chunk look the same, and in both cases everything before it is good.
- changed: a chunk of full size does not authenticate, or an empty final chunk follows others, which no writer makes.
- trailing: something follows a good final chunk of full size.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, ClassVar, Final

from attrs import frozen
from nacl.bindings import crypto_aead_chacha20poly1305_ietf_decrypt, crypto_scalarmult
from nacl.exceptions import CryptoError

from doorbell.clips.seal import (
    FILE_KEY,
    INTRO,
    NONCE,
    SEALED_CHUNK,
    STANZA_LABEL,
    TAG,
    b64,
    chunk_nonce,
    header_mac,
    payload_key,
)
from doorbell.errors import DamagedError
from doorbell.hkdf import hkdf
from doorbell.owner.identity import Identity

MAX_HEADER: Final = 64 * 1024  # bytes; a roster of 17 needs under 2 KiB, stanzas of other kinds may be longer
_WRAPPED: Final = FILE_KEY + TAG
_ARGUMENTS: Final = re.compile(rb"-> ([\x21-\x7e]+(?: [\x21-\x7e]+)*)")
_BODY_COLUMNS: Final = 64
_INTRO_COLUMNS: Final = 128
_MAC_LINE: Final = re.compile(rb"--- ([A-Za-z0-9+/]{43})")


class UnsealError(DamagedError):
    """What keeps a file from being opened whole; `word` names it as the test vectors do."""

    word: ClassVar[str]


class NotAgeError(UnsealError):
    """Not an age v1 file, or its header breaks the format's rules."""

    word = "not_age"


class NotOursError(UnsealError):
    """A proper age file that none of the given identities opens."""

    word = "not_ours"


class HeaderChangedError(UnsealError):
    """An identity opens it, but the header is not the one that was written."""

    word = "header_changed"


class PayloadError(UnsealError):
    """The payload is good up to a place; `opened` is the number of plaintext bytes before it."""

    def __init__(self, message: str, opened: int) -> None:
        super().__init__(message)
        self.opened = opened


class CutError(PayloadError):
    """The end of the file came before a good final chunk."""

    word = "cut"


class ChangedError(PayloadError):
    """A chunk is not what the door wrote; `chunk` counts from 1."""

    word = "changed"

    def __init__(self, message: str, opened: int, chunk: int) -> None:
        super().__init__(message, opened)
        self.chunk = chunk


class TrailingError(PayloadError):
    """Something was appended behind the final chunk."""

    word = "trailing"


@frozen
class _Stanza:
    arguments: tuple[bytes, ...]
    body: bytes


def unseal(identities: Sequence[Identity], source: BinaryIO) -> Iterator[bytes]:
    """Open `source` with whichever of `identities` fits; returns its authenticated chunks of up to 64 KiB, in order.

    The header is read at the call, which raises NotAgeError, NotOursError, HeaderChangedError, or CutError if the file
    ends inside it; the iterator raises CutError, ChangedError or TrailingError after the last good chunk. Only an
    iterator that ends without an error has given the whole. `source` may be a pipe; it is read once, forwards.
    """
    lines = _Lines(source)
    stanzas, mac = _read_header(lines)
    file_key = _unwrap(identities, stanzas)
    if not hmac.compare_digest(header_mac(file_key, lines.authenticated()), mac):
        raise HeaderChangedError("The clip's header was changed after it was sealed: fetch the clip again.")
    nonce = _read(source, NONCE)
    if len(nonce) < NONCE:
        raise _cut(0)
    return _chunks(source, payload_key(file_key, nonce))


class _Lines:
    """The header's lines, remembered for its MAC."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._seen = bytearray()

    def first(self) -> bytes:
        """The first line with its end, or the beginning of whatever else this is."""
        self._seen += self._source.readline(_INTRO_COLUMNS)
        return bytes(self._seen)

    def next(self) -> bytes:
        """The next line without its end."""
        line = self._source.readline(MAX_HEADER - len(self._seen) + 1)
        self._seen += line
        if len(self._seen) > MAX_HEADER:
            raise NotAgeError(f"This is not a clip: its header is longer than {MAX_HEADER} bytes.")
        if not line.endswith(b"\n"):
            raise _cut(0)
        return line[:-1]

    def authenticated(self) -> bytes:
        """Everything up to and including the `---` of the last line."""
        return bytes(self._seen[: self._seen.rindex(b"--- ") + 3])


def _read_header(lines: _Lines) -> tuple[list[_Stanza], bytes]:
    _read_intro(lines.first())
    stanzas: list[_Stanza] = []
    while (line := lines.next()).startswith(b"->"):
        arguments = _ARGUMENTS.fullmatch(line)
        if arguments is None:
            raise _broken()
        stanzas.append(_Stanza(tuple(arguments[1].split(b" ")), _read_body(lines)))
    end = _MAC_LINE.fullmatch(line)
    if end is None or not stanzas:
        raise _broken()
    if len(stanzas) > 1 and any(stanza.arguments[0] == b"scrypt" for stanza in stanzas):
        raise _broken()  # who knows a passphrase could otherwise pose as the sender to the others
    return stanzas, _decoded(end[1])


def _read_intro(line: bytes) -> None:
    if line == INTRO:
        return
    if INTRO.startswith(line):
        raise _cut(0)
    if line.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----"):
        raise NotAgeError("This age file is armored text, which no door writes: open it with `age -d`.")
    if line.startswith(b"age-encryption.org/"):
        raise NotAgeError("This age file has another version than v1: open it with a newer `age`.")
    raise NotAgeError("This is not an age file: give a sealed clip or poster, its name ends in .age.")


def _read_body(lines: _Lines) -> bytes:
    text = b""
    while True:
        line = lines.next()
        if len(line) > _BODY_COLUMNS:
            raise _broken()
        text += line
        if len(line) < _BODY_COLUMNS:
            return _decoded(text)


def _decoded(text: bytes) -> bytes:
    """Unpadded base64 in its only spelling."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise _broken() from None
    if b64(data) != text:
        raise _broken()
    return data


def _unwrap(identities: Sequence[Identity], stanzas: Sequence[_Stanza]) -> bytes:
    if stanzas[0].arguments[0] == b"scrypt":
        raise NotOursError("This age file is locked with a passphrase, no door does that: open it with `age -d`.")
    wrapped = [_share_and_body(stanza) for stanza in stanzas if stanza.arguments[0] == b"X25519"]
    for share, body in wrapped:
        for identity in identities:
            file_key = _file_key(identity, share, body)
            if file_key is not None:
                return file_key
    raise NotOursError(
        "This clip is not sealed to this identity: it is older than the identity's place in the roster, "
        "or another identity is needed."
    )


def _share_and_body(stanza: _Stanza) -> tuple[bytes, bytes]:
    if len(stanza.arguments) != 2 or len(stanza.body) != _WRAPPED:
        raise _broken()
    share = _decoded(stanza.arguments[1])
    if len(share) != 32:
        raise _broken()
    return share, stanza.body


def _file_key(identity: Identity, share: bytes, body: bytes) -> bytes | None:
    try:
        shared = crypto_scalarmult(identity.secret, share)
    except CryptoError:  # an all-zero shared secret: the share is a low-order point
        raise _broken() from None
    wrap_key = hkdf(shared, salt=share + identity.recipient.key, info=STANZA_LABEL)
    try:
        return crypto_aead_chacha20poly1305_ietf_decrypt(body, None, bytes(12), wrap_key)
    except CryptoError:
        return None


def _chunks(source: BinaryIO, key: bytes) -> Iterator[bytes]:
    opened = 0
    index = 0
    sealed = _read(source, SEALED_CHUNK)
    while True:
        following = _read(source, SEALED_CHUNK) if len(sealed) == SEALED_CHUNK else b""
        final = not following
        plaintext = _open(key, index, sealed, final=final)
        if plaintext is None:
            yield from _misplaced(key, index, sealed, opened, more=not final)
            return
        if not plaintext and index:
            raise _changed(opened, index)
        yield plaintext
        if final:
            return
        opened += len(plaintext)
        index += 1
        sealed = following


def _misplaced(key: bytes, index: int, sealed: bytes, opened: int, *, more: bool) -> Iterator[bytes]:
    """A chunk that does not open in its place: it may still be a good one of the other sort; always raises."""
    if len(sealed) < SEALED_CHUNK:
        raise _cut(opened)
    plaintext = _open(key, index, sealed, final=more)
    if plaintext is None:
        raise _changed(opened, index)
    yield plaintext
    opened += len(plaintext)
    if more:
        raise TrailingError(f"Something was appended after the clip's end: its {opened} bytes are whole.", opened)
    raise _cut(opened)


def _open(key: bytes, index: int, sealed: bytes, *, final: bool) -> bytes | None:
    if len(sealed) < TAG:
        return None
    try:
        return crypto_aead_chacha20poly1305_ietf_decrypt(sealed, None, chunk_nonce(index, final=final), key)
    except CryptoError:
        return None


def _read(source: BinaryIO, size: int) -> bytes:
    """`size` bytes, fewer only at the end: a pipe gives what it has."""
    data = source.read(size)
    while len(data) < size and (more := source.read(size - len(data))):
        data += more
    return data


def _cut(opened: int) -> CutError:
    if opened:
        return CutError(f"The clip was cut short: its first {opened} bytes are whole, the rest is missing.", opened)
    return CutError("The clip was cut short before its first whole chunk: nothing of it can be opened.", opened)


def _changed(opened: int, index: int) -> ChangedError:
    return ChangedError(
        f"The clip was changed at chunk {index + 1}: its first {opened} bytes are whole, fetch the clip again.",
        opened,
        index + 1,
    )


def _broken() -> NotAgeError:
    return NotAgeError("The clip's header breaks the rules of the age format: fetch the clip again.")
