"""The door's own keys are made once, kept from others, and sign exactly what the formats say."""

import base64
import errno
import os
from pathlib import Path
from typing import Any, get_args

import pytest
from nacl.bindings import crypto_box_seal, crypto_box_seal_open, crypto_sign_open

from doorbell.doorkeys import DoorKeys, Kind, load_or_make
from doorbell.errors import DeviceError, Mistake

KEYS = DoorKeys(signing_seed=bytes(range(32)), box_secret=bytes(range(1, 33)))


def test_the_door_keeps_its_keys(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = load_or_make(folder)
    assert load_or_make(folder) == first
    assert first != load_or_make(tmp_path / "other")
    assert first.signing_seed != first.box_secret
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "signing.key": 0o600,
        "box.key": 0o600,
    }


def test_a_mask_that_forbids_nothing_changes_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load_or_make(tmp_path / "keys")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}


def test_a_power_cut_between_the_two_keys_is_survived(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = load_or_make(folder)
    (folder / "box.key").unlink()
    (folder / "box.key.new").write_bytes(b"torn")
    second = load_or_make(folder)
    assert second.signing_seed == first.signing_seed
    assert not (folder / "box.key.new").exists()


def test_a_key_is_on_the_card_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "keys"
    synced: list[tuple[str, set[str]]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink().name, {path.name for path in folder.iterdir()}))
        real(descriptor)

    monkeypatch.setattr("os.fsync", fsync)
    load_or_make(folder)
    assert synced == [
        (tmp_path.name, set()),
        ("signing.key.new", {"signing.key.new"}),
        ("keys", {"signing.key"}),
        ("box.key.new", {"signing.key", "box.key.new"}),
        ("keys", {"signing.key", "box.key"}),
    ]


def test_a_lost_signing_key_is_not_replaced_in_silence(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    load_or_make(folder)
    (folder / "signing.key").unlink()
    with pytest.raises(Mistake, match="is gone"):
        load_or_make(folder)
    assert not (folder / "signing.key").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(mode: int, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    load_or_make(folder)
    (folder / "box.key").chmod(mode)
    with pytest.raises(Mistake, match="chmod 600"):
        load_or_make(folder)


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    load_or_make(folder)
    folder.chmod(0o755)
    with pytest.raises(Mistake, match="chmod 700"):
        load_or_make(folder)


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(33)])
def test_a_key_of_another_length_is_refused(content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    load_or_make(folder)
    (folder / "signing.key").write_bytes(content)
    with pytest.raises(Mistake, match="not a key of 32 bytes"):
        load_or_make(folder)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    load_or_make(folder)
    real = (folder / "box.key").rename(tmp_path / "elsewhere")
    (folder / "box.key").symlink_to(real)
    with pytest.raises(Mistake, match="is a link"):
        load_or_make(folder)
    (folder / "box.key").unlink()
    os.mkfifo(folder / "box.key", 0o600)
    with pytest.raises(Mistake, match="is not a file"):
        load_or_make(folder)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Mistake, match="not a folder"):
        load_or_make(tmp_path / "file")
    with pytest.raises(DeviceError, match="cannot be used"):
        load_or_make(tmp_path / "nowhere" / "keys")


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_signature_covers_kind_and_exact_bytes(kind: Kind) -> None:
    signature = KEYS.sign(kind, b'{"v":1}')
    assert len(signature) == 64
    message = b"doorbell/v1/" + kind.encode() + b'\x00{"v":1}'
    assert crypto_sign_open(signature + message, KEYS.verify_key) == message


def test_an_unknown_kind_is_not_signed() -> None:
    unknown: Any = "sign-entry"
    with pytest.raises(ValueError, match="not a kind"):
        KEYS.sign(unknown, b"{}")


def test_an_entry_is_signed_by_its_hash() -> None:
    message = b"doorbell/v1/sign-entry\x00" + b"h" * 32
    assert crypto_sign_open(KEYS.sign_entry(b"h" * 32) + message, KEYS.verify_key) == message
    with pytest.raises(ValueError, match="32 bytes"):
        KEYS.sign_entry(b"short")


def test_a_signed_document_carries_its_text_unchanged() -> None:
    text = '{"name": "Größe",  "v":1}'
    document = KEYS.signed_document("hello", text)
    assert document["json"] == text
    assert base64.b64decode(document["sig"], validate=True) == KEYS.sign("hello", text.encode())


def test_what_is_sealed_to_the_box_key_opens() -> None:
    sealed = crypto_box_seal(b"ring", KEYS.box_key)
    assert crypto_box_seal_open(sealed, KEYS.box_key, KEYS.box_secret) == b"ring"


def test_door_keys_never_show_their_secrets() -> None:
    shown = f"{KEYS} {KEYS!r}"
    assert KEYS.signing_seed.hex() not in shown
    assert KEYS.box_secret.hex() not in shown
    assert repr(KEYS.signing_seed) not in shown
    with pytest.raises(ValueError, match="32 bytes"):
        DoorKeys(bytes(31), bytes(32))


def test_a_card_that_does_not_answer_is_no_reason_to_make_a_new_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_or_make(tmp_path / "keys")

    def failing(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "lstat", failing)
    with pytest.raises(DeviceError):
        load_or_make(tmp_path / "keys")
    monkeypatch.undo()
    assert load_or_make(tmp_path / "keys") == before
