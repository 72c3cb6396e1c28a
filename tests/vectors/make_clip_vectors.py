"""Makes tests/vectors/clip/*.json, the clips that every reader must open or refuse, byte for byte the same at each run.

    python tests/vectors/make_clip_vectors.py          writes them
    python tests/vectors/make_clip_vectors.py --check  exits 1 if the files differ from what would be written

It writes age by itself, from the specification, and not with doorbell.clips.seal: it must be able to write wrongly, and
a mistake made twice would cancel out. The shape of the files is told in docs/formats/clip.md.
"""

import base64
import hashlib
import hmac
import json
import sys
from pathlib import Path
from typing import Any

from bech32 import bech32_encode, convertbits
from nacl.bindings import crypto_aead_chacha20poly1305_ietf_encrypt as encrypt
from nacl.bindings import crypto_scalarmult, crypto_scalarmult_base

FOLDER = Path(__file__).parent / "clip"
CHUNK = 65536
INTRO = b"age-encryption.org/v1\n"


def secret(label: str, size: int = 32) -> bytes:
    """Bytes that look random and are the same for ever."""
    return hashlib.sha256(b"doorbell clip vectors: " + label.encode()).digest()[:size]


OWNER, PHONE, STRANGER = secret("owner"), secret("phone"), secret("stranger")
FILE_KEY = secret("file key", 16)
NONCE = secret("nonce", 16)
TEXT = b"The door saw somebody."
SOME_OPEN_IT = ("passphrase-and-owner", "broken-behind-ours")  # laxer readers stop at the first stanza that fits


def public(key: bytes) -> bytes:
    return crypto_scalarmult_base(key)


def bech32(kind: str, data: bytes) -> str:
    return bech32_encode(kind, convertbits(data, 8, 5) or [])


def b64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    return hmac.digest(hmac.digest(salt, key, "sha256"), info + b"\x01", "sha256")


def wrapped(recipient: bytes, ephemeral: bytes, file_key: bytes = FILE_KEY, share: bytes | None = None) -> bytes:
    sent = crypto_scalarmult_base(ephemeral)
    shared = bytes(32) if share is not None else crypto_scalarmult(ephemeral, recipient)
    key = hkdf(shared, (share or sent) + recipient, b"age-encryption.org/v1/X25519")
    return encrypt(file_key, None, bytes(12), key)


def stanza(recipient: bytes, label: str, **tweak: bytes) -> bytes:
    ephemeral = secret("ephemeral " + label)
    kind = tweak.get("kind", b"X25519")
    share = tweak.get("share", b64(crypto_scalarmult_base(ephemeral)))
    body = tweak.get("body", b64(wrapped(recipient, ephemeral)))
    return b"-> " + kind + b" " + share + tweak.get("extra", b"") + b"\n" + body + b"\n"


def header(*stanzas: bytes, intro: bytes = INTRO, file_key: bytes = FILE_KEY) -> bytes:
    text = intro + b"".join(stanzas) + b"---"
    return text + b" " + b64(hmac.digest(hkdf(file_key, b"", b"header"), text, "sha256")) + b"\n"


def chunk(index: int, plaintext: bytes, *, final: bool) -> bytes:
    nonce = index.to_bytes(11, "big") + bytes([final])
    return encrypt(plaintext, None, nonce, hkdf(FILE_KEY, NONCE, b"payload"))


def spoiled_bits(text: bytes) -> bytes:
    """Base64 that decodes to the same bytes but is not the canonical spelling: an unused low bit is set."""
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return text[:-1] + letters[letters.index(text[-1]) + 1 :][:1]


def header_vectors() -> list[tuple[str, str, bytes, str]]:
    """name, why, header, expect; each is followed by the same nonce and one final chunk holding TEXT."""
    owner, phone = public(OWNER), public(PHONE)
    good = stanza(owner, "owner")
    share, body = good[3 + 7 :].rstrip(b"\n").split(b"\n")
    plain = header(good)
    mac = plain[-44:-1]
    high = bytes(31) + b"\x80"  # another spelling of zero: the top bit is ignored
    order_8 = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")
    return [
        ("one-recipient", "the plainest clip", plain, "opens"),
        ("two-recipients", "the second stanza is ours", header(stanza(phone, "phone"), good), "opens"),
        (
            "other-stanzas",
            "unknown stanzas are skipped",
            header(b"-> grease a1 b2\n\n", good, b"-> x\nAAAA\n"),
            "opens",
        ),
        (
            "wrapped-body",
            "an unknown stanza whose body fills a line exactly and ends with an empty one",
            header(b"-> long\n" + b"A" * 64 + b"\n\n", good),
            "opens",
        ),
        ("stranger", "sealed to somebody else", header(stanza(public(STRANGER), "stranger")), "not_ours"),
        (
            "wrong-tag",
            "the wrapped file key does not authenticate",
            header(stanza(owner, "owner", body=b64(bytes(32)))),
            "not_ours",
        ),
        (
            "lower-case-kind",
            "x25519 is another kind than X25519",
            header(stanza(owner, "owner", kind=b"x25519")),
            "not_ours",
        ),
        (
            "passphrase",
            "a passphrase file: no identity opens it",
            header(b"-> scrypt " + b64(bytes(16)) + b" 10\n" + b64(bytes(32)) + b"\n"),
            "not_ours",
        ),
        (
            "passphrase-and-owner",
            "a scrypt stanza must be alone",
            header(b"-> scrypt " + b64(bytes(16)) + b" 10\n" + b64(bytes(32)) + b"\n", good),
            "not_age",
        ),
        ("wrong-mac", "the MAC is of another file key", header(good, file_key=bytes(16)), "header_changed"),
        ("stanza-added", "a stanza was added after sealing", plain.replace(b"---", b"-> x\n\n---"), "header_changed"),
        (
            "stanza-removed",
            "a stanza was removed after sealing",
            header(good, stanza(phone, "phone")).replace(stanza(phone, "phone"), b""),
            "header_changed",
        ),
        ("mac-not-canonical", "base64 with an unused bit set", plain.replace(mac, spoiled_bits(mac)), "not_age"),
        ("mac-padded", "base64 with padding", plain.replace(mac, mac + b"="), "not_age"),
        ("mac-short", "a MAC of 31 bytes", plain.replace(mac, mac[:-2]), "not_age"),
        ("mac-missing", "no MAC at all", plain.replace(b" " + mac, b""), "not_age"),
        ("mac-no-space", "no space before the MAC", plain.replace(b"--- ", b"---"), "not_age"),
        ("mac-two-spaces", "two spaces before the MAC", plain.replace(b"--- ", b"---  "), "not_age"),
        ("mac-trailing-space", "a space behind the MAC", plain.replace(mac, mac + b" "), "not_age"),
        ("no-stanza", "a header without a stanza", header(), "not_age"),
        ("short-share", "a share of 31 bytes", header(stanza(owner, "owner", share=b64(bytes(31)))), "not_age"),
        (
            "broken-before-ours",
            "a share of 31 bytes in a stanza before the one that fits",
            header(stanza(phone, "phone", share=b64(bytes(31))), good),
            "not_age",
        ),
        (
            "broken-behind-ours",
            "the same behind the one that fits",
            header(good, stanza(phone, "phone", share=b64(bytes(31)))),
            "not_age",
        ),
        ("long-share", "a share of 33 bytes", header(stanza(owner, "owner", share=b64(bytes(33)))), "not_age"),
        (
            "share-not-canonical",
            "base64 with an unused bit set",
            header(good.replace(share, spoiled_bits(share))),
            "not_age",
        ),
        ("share-padded", "base64 with padding", header(good.replace(share, share + b"=")), "not_age"),
        (
            "body-not-canonical",
            "base64 with an unused bit set",
            header(good.replace(body, spoiled_bits(body))),
            "not_age",
        ),
        ("body-padded", "base64 with padding", header(good.replace(body, body + b"=")), "not_age"),
        ("body-missing", "a stanza without its final line", header(good.replace(body + b"\n", b"")), "not_age"),
        ("body-long-line", "a body line of 68 columns", header(b"-> x\n" + b"A" * 68 + b"\nAAAA\n", good), "not_age"),
        (
            "body-short-lines",
            "a body in two short lines",
            header(good.replace(body, body[:20] + b"\n" + body[20:])),
            "not_age",
        ),
        (
            "long-file-key",
            "a wrapped file key of 32 bytes must be refused unopened",
            header(stanza(owner, "owner", body=b64(wrapped(owner, secret("ephemeral owner"), bytes(32))))),
            "not_age",
        ),
        ("extra-argument", "three arguments", header(stanza(owner, "owner", extra=b" AAAA")), "not_age"),
        ("missing-argument", "one argument", header(b"-> X25519\n" + body + b"\n"), "not_age"),
        ("empty-argument", "two spaces between arguments", header(good.replace(b"X25519 ", b"X25519  ")), "not_age"),
        ("trailing-space", "a space behind the arguments", header(good.replace(share, share + b" ")), "not_age"),
        ("no-arguments", "a stanza line that says nothing", header(b"-> \n\n", good), "not_age"),
        ("control-character", "a tab in an argument", header(b"-> gre\tase\n\n", good), "not_age"),
        ("letter-beyond-ascii", "an umlaut in an argument", header("-> größe\n\n".encode(), good), "not_age"),
        ("carriage-returns", "lines that end in CR LF", header(good).replace(b"\n", b"\r\n"), "not_age"),
        (
            "zero-share",
            "the shared secret is all zero: anybody could have wrapped this",
            header(stanza(owner, "o", share=b64(bytes(32)), body=b64(wrapped(owner, OWNER, share=bytes(32))))),
            "not_age",
        ),
        (
            "zero-share-high-bit",
            "zero in another spelling",
            header(stanza(owner, "o", share=b64(high), body=b64(wrapped(owner, OWNER, share=high)))),
            "not_age",
        ),
        (
            "low-order-share",
            "a point of order 8",
            header(stanza(owner, "o", share=b64(order_8), body=b64(wrapped(owner, OWNER, share=order_8)))),
            "not_age",
        ),
        ("version-2", "another version", header(good, intro=b"age-encryption.org/v2\n"), "not_age"),
        ("version-missing", "no first line", header(good, intro=b""), "not_age"),
        ("leading-space", "a space before everything", header(good, intro=b" " + INTRO), "not_age"),
    ]


def stream_pieces() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The pieces that stream vectors are put together from, and the plaintext of each."""
    texts: dict[str, bytes] = {
        "chunk-1": bytes((i * 7 + i // 251) % 256 for i in range(CHUNK)),
        "chunk-2": bytes((i * 11 + i // 241) % 256 for i in range(CHUNK)),
    }
    pieces = {
        "header": header(stanza(public(OWNER), "owner")),
        "nonce": NONCE,
        "chunk-1": chunk(0, texts["chunk-1"], final=False),
        "chunk-1-final": chunk(0, texts["chunk-1"], final=True),
        "chunk-1-short-final": chunk(0, TEXT, final=True),
        "chunk-1-short": chunk(0, TEXT, final=False),
        "chunk-1-empty-final": chunk(0, b"", final=True),
        "chunk-1-empty": chunk(0, b"", final=False),
        "chunk-2": chunk(1, texts["chunk-2"], final=False),
        "chunk-2-final": chunk(1, texts["chunk-2"], final=True),
        "chunk-2-short-final": chunk(1, TEXT, final=True),
        "chunk-2-empty-final": chunk(1, b"", final=True),
        "chunk-3-short-final": chunk(2, TEXT, final=True),
        "chunk-3-empty-final": chunk(2, b"", final=True),
        "garbage": secret("garbage", 20),
    }
    for name in pieces:
        if name.startswith("chunk-"):
            texts.setdefault(name, b"" if "empty" in name else TEXT if "short" in name else texts[name[:7]])
    return pieces, texts


def stream_vectors() -> list[tuple[str, str, str, str, str]]:
    """name, why, pieces behind header and nonce, expect, pieces whose plaintext may be shown."""
    return [
        ("empty", "a clip of no bytes is one empty final chunk", "chunk-1-empty-final", "opens", ""),
        ("short", "one short final chunk", "chunk-1-short-final", "opens", "chunk-1-short-final"),
        ("one-full", "one full final chunk", "chunk-1-final", "opens", "chunk-1"),
        ("two", "a full and a short chunk", "chunk-1 chunk-2-short-final", "opens", "chunk-1 chunk-2-short-final"),
        ("two-full", "two full chunks", "chunk-1 chunk-2-final", "opens", "chunk-1 chunk-2"),
        (
            "three",
            "two full chunks and a short one",
            "chunk-1 chunk-2 chunk-3-short-final",
            "opens",
            "chunk-1 chunk-2 chunk-3-short-final",
        ),
        ("no-chunk", "power was cut before the first chunk", "", "cut", ""),
        ("no-final", "power was cut after a whole chunk", "chunk-1", "cut", "chunk-1"),
        ("no-final-two", "power was cut after two whole chunks", "chunk-1 chunk-2", "cut", "chunk-1 chunk-2"),
        ("short-not-final", "a short chunk that is not marked final", "chunk-1-short", "cut", ""),
        ("empty-not-final", "an empty chunk that is not marked final", "chunk-1-empty", "cut", ""),
        (
            "empty-final-after-one",
            "a final chunk may be empty only alone",
            "chunk-1 chunk-2-empty-final",
            "changed",
            "chunk-1",
        ),
        (
            "empty-final-after-two",
            "the same after two",
            "chunk-1 chunk-2 chunk-3-empty-final",
            "changed",
            "chunk-1 chunk-2",
        ),
        ("trailing", "bytes behind a full final chunk", "chunk-1-final garbage", "trailing", "chunk-1"),
        (
            "trailing-two",
            "bytes behind the second full final chunk",
            "chunk-1 chunk-2-final garbage",
            "trailing",
            "chunk-1 chunk-2",
        ),
        ("two-finals", "a chunk behind a full final one", "chunk-1-final chunk-2-short-final", "trailing", "chunk-1"),
        (
            "two-full-finals",
            "a full chunk behind a full final one",
            "chunk-1-final chunk-2-final",
            "trailing",
            "chunk-1",
        ),
        (
            "trailing-short",
            "bytes behind a short final chunk look like a torn chunk",
            "chunk-1-short-final garbage",
            "cut",
            "",
        ),
        ("swapped", "two chunks changed places", "chunk-2 chunk-1 chunk-3-short-final", "changed", ""),
        ("dropped", "the first chunk was taken out", "chunk-2 chunk-3-short-final", "changed", ""),
        ("dropped-to-short", "only the last chunk was left", "chunk-2-short-final", "cut", ""),
        ("repeated", "a chunk comes twice", "chunk-1 chunk-1 chunk-3-short-final", "changed", "chunk-1"),
    ]


def takes(front: int) -> list[tuple[str, str, int, str, str]]:
    """name, why, bytes kept of `three`, expect, pieces whose plaintext may be shown."""
    full = CHUNK + 16
    return [
        ("cut-nothing-written", "an empty file", 0, "cut", ""),
        ("cut-in-first-line", "cut inside the first line", 9, "cut", ""),
        ("cut-in-header", "cut inside the header", 100, "cut", ""),
        ("cut-before-nonce", "cut behind the header", front - 16, "cut", ""),
        ("cut-in-nonce", "cut inside the nonce", front - 1, "cut", ""),
        ("cut-in-first-tag", "one byte of the first chunk is missing", front + full - 1, "cut", ""),
        ("cut-after-first-byte-of-second", "one byte of the second chunk", front + full + 1, "cut", "chunk-1"),
        ("cut-in-second", "cut inside the second chunk", front + full + 30000, "cut", "chunk-1"),
        ("cut-in-last", "the last byte is missing", front + 2 * full + len(TEXT) + 15, "cut", "chunk-1 chunk-2"),
    ]


def flips(front: int) -> list[tuple[str, str, int, str, str]]:
    """name, why, byte of `three` whose lowest bit is inverted, expect, pieces whose plaintext may be shown."""
    full = CHUNK + 16
    return [
        ("changed-nonce", "a bit of the nonce", front - 1, "changed", ""),
        ("changed-first", "a bit of the first chunk", front, "changed", ""),
        ("changed-first-tag", "a bit of the first chunk's tag", front + full - 1, "changed", ""),
        ("changed-second", "a bit of the second chunk", front + full + 4096, "changed", "chunk-1"),
        ("changed-short-last", "a bit of a short last chunk: looks torn", front + 2 * full, "cut", "chunk-1 chunk-2"),
    ]


def shown(plaintext: bytes) -> dict[str, Any]:
    return {"bytes": len(plaintext), "sha256": hashlib.sha256(plaintext).hexdigest()}


def header_file() -> dict[str, Any]:
    pieces = {"payload": NONCE + chunk(0, TEXT, final=True)}
    vectors = []
    for name, why, head, expect in header_vectors():
        pieces[name] = head
        opened = shown(TEXT if expect == "opens" else b"")
        vectors.append({"name": name, "why": why, "sealed": [name, "payload"], "expect": expect, "opened": opened})
        if name in SOME_OPEN_IT:
            vectors[-1]["some_open_it"] = True
    pieces["not-age-mp4"] = b"\x00\x00\x00\x18ftypisom" + bytes(200)
    vectors.append(
        {
            "name": "an-mp4",
            "why": "an unsealed video",
            "sealed": ["not-age-mp4"],
            "expect": "not_age",
            "opened": shown(b""),
        }
    )
    return whole_file("Headers: every one but the last is followed by the same payload.", pieces, vectors)


def stream_file() -> dict[str, Any]:
    pieces, texts = stream_pieces()
    front = len(pieces["header"]) + len(NONCE)
    vectors: list[dict[str, Any]] = []

    def add(name: str, why: str, sealed: str, expect: str, plain: str, **edit: int) -> None:
        opened = shown(b"".join(texts[part] for part in plain.split()))
        names = ["header", "nonce", *sealed.split()]
        vectors.append({"name": name, "why": why, "sealed": names, **edit, "expect": expect, "opened": opened})

    for name, why, sealed, expect, plain in stream_vectors():
        add(name, why, sealed, expect, plain)
    three = "chunk-1 chunk-2 chunk-3-short-final"
    for name, why, place, expect, plain in takes(front):
        add(name, why, three, expect, plain, take=place)
    for name, why, place, expect, plain in flips(front):
        add(name, why, three, expect, plain, flip=place)
    return whole_file("Payloads: chunks in every order that must be told apart.", pieces, vectors)


def whole_file(about: str, pieces: dict[str, bytes], vectors: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "about": about,
        "identity": bech32("age-secret-key-", OWNER).upper(),
        "pieces": {name: base64.b64encode(piece).decode() for name, piece in pieces.items()},
        "vectors": vectors,
    }


def sealing_file() -> dict[str, Any]:
    """What a writer must produce when its random bytes are these."""
    cases = []
    for name, people in (("one-recipient", [OWNER]), ("two-recipients", [OWNER, PHONE])):
        ephemerals = [secret(f"sealing {name} {place}") for place in range(len(people))]
        stanzas = [
            b"-> X25519 " + b64(public(e)) + b"\n" + b64(wrapped(public(p), e)) + b"\n"
            for p, e in zip(people, ephemerals, strict=True)
        ]
        cases.append(
            {
                "name": name,
                "recipients": [bech32("age", public(person)) for person in people],
                "random": (FILE_KEY + b"".join(ephemerals) + NONCE).hex(),
                "plaintext": base64.b64encode(TEXT).decode(),
                "sealed": base64.b64encode(header(*stanzas) + NONCE + chunk(0, TEXT, final=True)).decode(),
            }
        )
    about = "Sealing with given random bytes: file key (16), an ephemeral secret a recipient (32 each), nonce (16)."
    return {"about": about, "vectors": cases}


def main() -> int:
    files = {"header.json": header_file(), "stream.json": stream_file(), "sealing.json": sealing_file()}
    same = True
    for name, content in files.items():
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        path = FOLDER / name
        if "--check" in sys.argv:
            same = same and path.is_file() and path.read_text(encoding="utf-8") == text
        else:
            path.write_text(text, encoding="utf-8")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
