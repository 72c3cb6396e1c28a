"""The owner's identity comes back from its file, from its words and from age's own tools, and never shows itself."""

import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_sign_seed_keypair

from doorbell.errors import DeviceError, Mistake
from doorbell.hkdf import hkdf
from doorbell.owner.identity import Identity, read_identities, write_identity

OWNER = Identity(bytes(range(32)))
NOON = datetime(2026, 11, 22, 13, 0, tzinfo=timezone(timedelta(hours=1)))


@given(st.binary(min_size=32, max_size=32))
def test_the_words_are_the_key(secret: bytes) -> None:
    identity = Identity(secret)
    assert len(identity.words().split()) == 24
    assert Identity.from_words(identity.words()) == identity
    assert Identity.parse(identity.line()) == identity


def test_the_words_are_those_of_bip_39() -> None:
    assert Identity(bytes(32)).words() == "abandon " * 23 + "art"
    assert Identity(b"\xff" * 32).words() == "zoo " * 23 + "vote"


def test_words_are_read_as_people_write_them() -> None:
    words = OWNER.words().split()
    numbered = "\n".join(f"{place}.  {word.title()}," for place, word in enumerate(words, start=1))
    assert Identity.from_words(numbered) == OWNER
    assert Identity.from_words("\t" + "   ".join(words).upper() + "\n") == OWNER


def test_the_word_that_is_wrong_is_named() -> None:
    words = OWNER.words().split()
    with pytest.raises(Mistake, match=f'Word 7, "{words[6]}x", is not in the list: perhaps it is "{words[6]}"'):
        Identity.from_words(" ".join([*words[:6], words[6] + "x", *words[7:]]))
    with pytest.raises(Mistake, match='Word 1, "größe", is not in the list'):
        Identity.from_words(" ".join(["Größe", *words[1:]]))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("abadnon", "abandon"), ("ebility", "ability"), ("zo", "zoo"), ("umbrela", "umbrella"), ("vacuumm", "vacuum")],
)
def test_one_slip_of_the_pen_is_understood(typed: str, meant: str) -> None:
    with pytest.raises(Mistake, match=f'"{typed}", is not in the list: perhaps it is "{meant}"'):
        Identity.from_words(" ".join([typed, *OWNER.words().split()[1:]]))


def test_a_word_that_is_like_none_is_not_guessed_at() -> None:
    with pytest.raises(Mistake, match="is not in the list: read the paper again"):
        Identity.from_words(" ".join(["a" * 5000, *OWNER.words().split()[1:]]))


def test_swapped_words_are_told_by_their_checksum() -> None:
    words = OWNER.words().split()
    with pytest.raises(Mistake, match="checksum"):
        Identity.from_words(" ".join([words[1], words[0], *words[2:]]))
    with pytest.raises(Mistake, match="24 words make an identity, 23 were given"):
        Identity.from_words(" ".join(words[1:]))


def test_an_identity_never_shows_its_secret() -> None:
    assert repr(OWNER) == "Identity()"
    assert OWNER.secret.hex() not in f"{OWNER} {OWNER!r}"


def test_two_identities_are_never_the_same() -> None:
    assert Identity.make() != Identity.make()
    assert len(Identity.make().secret) == 32


def test_an_identity_of_another_length_is_refused() -> None:
    with pytest.raises(Mistake, match="32 bytes"):
        Identity(bytes(31))


def test_the_signing_key_is_derived_as_the_formats_say() -> None:
    assert OWNER.signing_key == hkdf(OWNER.secret, info=b"doorbell/v1/owner-signing")
    assert OWNER.signing_key.hex() == "9aa00dc7150158e948674342526e4a9c1233df80debe947fe6e776dfda9b1c46"
    assert OWNER.verify_key == crypto_sign_seed_keypair(OWNER.signing_key)[0]


def test_hkdf_gives_the_first_block_of_rfc_5869() -> None:
    secret = b"\x0b" * 22
    first = hkdf(secret, salt=bytes(range(13)), info=bytes(range(0xF0, 0xFA)))
    assert first.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
    assert hkdf(secret, info=b"").hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"


def test_the_file_is_what_age_expects(tmp_path: Path) -> None:
    path = tmp_path / "key.txt"
    write_identity(path, OWNER, created=NOON)
    assert path.stat().st_mode & 0o777 == 0o600
    lines = path.read_text(encoding="ascii").splitlines()
    assert lines == ["# created: 2026-11-22T12:00:00Z", f"# public key: {OWNER.recipient}", OWNER.line()]
    done = subprocess.run(["age-keygen", "-y", path], capture_output=True, timeout=10, check=True)
    assert done.stdout.decode().strip() == str(OWNER.recipient)
    assert read_identities(path) == (OWNER,)


def test_the_only_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.txt"
    write_identity(path, OWNER, created=NOON)
    with pytest.raises(Mistake, match="not overwritten"):
        write_identity(path, Identity.make(), created=NOON)
    assert read_identities(path) == (OWNER,)
    with pytest.raises(Mistake, match="cannot be made"):
        write_identity(tmp_path / "nowhere" / "key.txt", OWNER, created=NOON)


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DeviceError, match="No space left"):
        write_identity(tmp_path / "key.txt", OWNER, created=NOON)
    assert list(tmp_path.iterdir()) == []


def test_several_identities_and_comments_are_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    other = Identity(bytes(32))
    path.write_text(f"# mine\n\n{OWNER.line()}\r\n  # old\n{other.line()}\n", encoding="ascii")
    assert read_identities(path) == (OWNER, other)


def test_what_age_keygen_made_is_read(tmp_path: Path) -> None:
    path = tmp_path / "key.txt"
    subprocess.run(["age-keygen", "-o", path], capture_output=True, timeout=10, check=True)
    (identity,) = read_identities(path)
    assert f"# public key: {identity.recipient}" in path.read_text(encoding="ascii")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no private key"),
        (b"# only a comment\n", "no private key"),
        (str(OWNER.recipient).encode(), "holds a recipient"),
        (b"age-encryption.org/v1\n-> scrypt abc 18\n", "locked with a passphrase"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n", "locked with a passphrase"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n", "SSH or TLS key"),
        (b"AGE-PLUGIN-YUBIKEY-1QQQ\n", "hardware"),
        (b"AGE-SECRET-KEY-PQ-1QQQ\n", "hardware"),
        (b"hello\n", "not an identity file"),
        (b"\xff\xfe\x00", "not an identity file"),
        (b"#" * 70_000, "not an identity file"),
        (OWNER.line().lower().encode(), "not an identity file"),
        (OWNER.line()[:-1].encode() + b"B", "checksum"),
        ((OWNER.line() + "\n").encode() * 65, "more than 64"),
    ],
)
def test_what_is_no_identity_file_is_told_apart(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(Mistake, match=sentence) as caught:
        read_identities(path)
    assert OWNER.line()[20:40] not in str(caught.value)


def test_a_missing_identity_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="no identity file"):
        read_identities(tmp_path / "none.txt")
    with pytest.raises(Mistake, match="cannot be read"):
        read_identities(tmp_path)


def test_created_is_always_told_in_utc(tmp_path: Path) -> None:
    path = tmp_path / "key.txt"
    write_identity(path, OWNER, created=NOON.astimezone(UTC))
    assert "12:00:00Z" in path.read_text(encoding="ascii")
