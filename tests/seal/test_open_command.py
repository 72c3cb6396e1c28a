"""The owner's commands, with a real clip: made by ffmpeg, sealed, opened, cut, changed."""

import io
import json
import os
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import av
import pytest
from click.testing import Result

from doorbell.cli.keygen import keygen
from doorbell.cli.open_ import open_
from doorbell.cli.recipient import recipient
from doorbell.clips.seal import SEALED_CHUNK, Sealer, seal
from doorbell.errors import DeviceError, Mistake
from doorbell.owner.identity import Identity, read_identities, write_identity
from doorbell.owner.remux import remux, video_seconds, whole_fragments
from tests.rigs.typed import runner

OWNER = Identity(bytes(range(32)))
JPEG = b"\xff\xd8\xff\xe0" + bytes(5000) + b"\xff\xd9"
SECONDS = 4.0


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds of fragmented H.264 as the door writes it, about 200 KB."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    source = "testsrc2=size=320x240:rate=12,noise=alls=9:allf=t"
    encode = "-c:v libx264 -preset ultrafast -g 12 -bf 0 -qp 30 -pix_fmt yuv420p"
    fragments = "-movflags empty_moov+default_base_moof -frag_duration 250000 -min_frag_duration 200000"
    comment = json.dumps({"door": "front", "trigger": "ring"})
    line = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-t", str(SECONDS), *encode.split()]
    subprocess.run([*line, *fragments.split(), "-metadata", f"comment={comment}", path], timeout=60, check=True)
    return path.read_bytes()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with the owner's identity."""
    write_identity(tmp_path / "key.txt", OWNER, created=datetime(2026, 1, 1, tzinfo=UTC))
    return tmp_path


def sealed_clip(home: Path, plaintext: bytes, name: str = "clip.mp4.age") -> Path:
    path = home / name
    path.write_bytes(seal([OWNER.recipient], plaintext))
    return path


def run_open(home: Path, clip: Path, *more: str) -> Result:
    line = [str(clip), "--identity", str(home / "key.txt"), *more]
    return runner().invoke(open_, line)


def names(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()}


def pictures(path: Path) -> list[tuple[int, bytes]]:
    """Time in ms and encoded bytes of each picture."""
    with av.open(str(path)) as video:
        return [(round(packet.pts * packet.time_base * 1000), bytes(packet)) for packet in video.demux() if packet.size]


def test_a_clip_opens_to_the_bytes_that_were_sealed(home: Path, clip: bytes) -> None:
    result = run_open(home, sealed_clip(home, clip), "-o", str(home / "out.mp4"))
    assert result.exit_code == 0, result.output
    assert result.output == ""
    assert (home / "out.mp4").read_bytes() == clip
    assert (home / "out.mp4").stat().st_mode & 0o777 == 0o600
    assert names(home) == {"key.txt", "clip.mp4.age", "out.mp4"}


def test_a_clip_opens_to_standard_output(home: Path, clip: bytes) -> None:
    result = run_open(home, sealed_clip(home, clip), "-o", "-")
    assert result.exit_code == 0
    assert result.stdout_bytes == clip


def test_a_poster_opens_too_plain_or_not(home: Path) -> None:
    poster = sealed_clip(home, JPEG, "clip.jpg.age")
    assert run_open(home, poster, "-o", str(home / "a.jpg")).exit_code == 0
    assert run_open(home, poster, "-o", str(home / "b.jpg"), "--plain").exit_code == 0
    assert (home / "a.jpg").read_bytes() == (home / "b.jpg").read_bytes() == JPEG


def test_plain_gives_an_ordinary_mp4_with_every_picture(home: Path, clip: bytes) -> None:
    (home / "reference.mp4").write_bytes(clip)
    result = run_open(home, sealed_clip(home, clip), "-o", str(home / "out.mp4"), "--plain")
    assert result.exit_code == 0, result.output
    plain = (home / "out.mp4").read_bytes()
    assert b"moof" not in plain
    assert plain.index(b"moov") < plain.index(b"mdat")
    assert pictures(home / "out.mp4") == pictures(home / "reference.mp4")
    with av.open(str(home / "out.mp4")) as video:
        assert json.loads(video.metadata["comment"]) == {"door": "front", "trigger": "ring"}


def test_plain_goes_to_standard_output_as_well(home: Path, clip: bytes) -> None:
    result = run_open(home, sealed_clip(home, clip), "-o", "-", "--plain")
    assert result.exit_code == 0
    with av.open(io.BytesIO(result.stdout_bytes)) as video:
        assert video.format.name.startswith("mov")
    assert names(home) == {"key.txt", "clip.mp4.age"}


@pytest.mark.parametrize("plain", [False, True])
def test_of_a_cut_clip_what_is_whole_is_written_and_counted(home: Path, clip: bytes, plain: bool) -> None:
    header = len(Sealer([OWNER.recipient]).header)
    path = sealed_clip(home, clip)
    path.write_bytes(path.read_bytes()[: header + SEALED_CHUNK + 1000])
    result = run_open(home, path, "-o", str(home / "out.mp4"), *(["--plain"] if plain else []))
    assert result.exit_code == 3
    assert "cut short" in result.stderr
    assert "first 65536 bytes" in result.stderr
    assert "seconds of video" in result.stderr
    assert 0.2 < (video_seconds(home / "out.mp4") or 0) < SECONDS - 0.5
    if not plain:
        assert (home / "out.mp4").read_bytes() == clip[:65536]
    assert names(home) == {"key.txt", "clip.mp4.age", "out.mp4"}


def test_of_a_changed_clip_nothing_after_the_change_is_written(home: Path, clip: bytes) -> None:
    path = sealed_clip(home, clip)
    sealed = bytearray(path.read_bytes())
    sealed[len(sealed) - len(clip) % 65536 - 16 - 100] ^= 1
    path.write_bytes(sealed)
    result = run_open(home, path, "-o", str(home / "out.mp4"))
    assert result.exit_code == 3
    assert "changed at chunk" in result.stderr
    assert clip.startswith((home / "out.mp4").read_bytes())


def test_a_cut_clip_on_standard_output_ends_with_what_is_whole(home: Path, clip: bytes) -> None:
    path = sealed_clip(home, clip)
    path.write_bytes(path.read_bytes()[:-1])
    result = run_open(home, path, "-o", "-")
    assert result.exit_code == 3
    assert result.stdout_bytes == clip[: len(clip) // 65536 * 65536]


@pytest.mark.parametrize("size", [0, 60, 300])
def test_a_clip_without_a_whole_chunk_leaves_no_file(home: Path, clip: bytes, size: int) -> None:
    path = sealed_clip(home, clip)
    path.write_bytes(path.read_bytes()[:size])
    result = run_open(home, path, "-o", str(home / "out.mp4"))
    assert result.exit_code == 3
    assert "nothing of it can be opened" in result.stderr
    assert names(home) == {"key.txt", "clip.mp4.age"}


def test_somebody_elses_clip_is_told_by_its_own_exit_code(home: Path) -> None:
    path = home / "clip.mp4.age"
    path.write_bytes(seal([Identity(bytes(32)).recipient], b"not yours"))
    result = run_open(home, path, "-o", str(home / "out.mp4"))
    assert result.exit_code == 2
    assert "not sealed to this identity" in result.stderr
    assert names(home) == {"key.txt", "clip.mp4.age"}


def test_a_video_that_was_never_sealed_is_told(home: Path, clip: bytes) -> None:
    path = home / "clip.mp4"
    path.write_bytes(clip)
    result = run_open(home, path, "-o", str(home / "out.mp4"))
    assert result.exit_code == 3
    assert "not an age file" in result.stderr


def test_an_existing_file_is_replaced_only_by_force(home: Path, clip: bytes) -> None:
    (home / "out.mp4").write_bytes(b"precious")
    path = sealed_clip(home, clip)
    refused = run_open(home, path, "-o", str(home / "out.mp4"))
    assert isinstance(refused.exception, Mistake)
    assert "--force" in str(refused.exception)
    assert (home / "out.mp4").read_bytes() == b"precious"
    assert run_open(home, path, "-o", str(home / "out.mp4"), "--force").exit_code == 0
    assert (home / "out.mp4").read_bytes() == clip


@pytest.mark.parametrize("name", ["key.txt", "clip.mp4.age", "link"])
def test_what_the_clip_is_opened_with_is_not_replaced_by_force(home: Path, clip: bytes, name: str) -> None:
    sealed = sealed_clip(home, clip)
    (home / "link").symlink_to("key.txt")
    before = (home / name).read_bytes()
    result = run_open(home, sealed, "-o", str(home / name), "--force")
    assert isinstance(result.exception, Mistake)
    assert (home / name).read_bytes() == before


def test_a_device_is_not_replaced_by_force(home: Path, clip: bytes) -> None:
    os.mkfifo(home / "device")
    result = run_open(home, sealed_clip(home, clip), "-o", str(home / "device"), "--force")
    assert "no ordinary file" in str(result.exception)
    assert (home / "device").is_fifo()


@pytest.mark.parametrize("closed", [True, False])
def test_a_list_that_cannot_be_written_is_a_sentence(home: Path, clip: bytes, closed: bool) -> None:
    words = ["open", str(sealed_clip(home, clip)), "-i", str(home / "key.txt"), "-o", "-"]
    line = [sys.executable, "-m", "doorbell", *(words if closed else ["show-config", "--config", os.devnull])]
    into = ">&-" if closed else ">/dev/full"
    ended = subprocess.run(["sh", "-c", f'exec "$@" {into}', "sh", *line], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("doorbell: ")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("clip_name", "key_name", "out_name", "sentence"),
    [
        ("none.age", "key.txt", "out.mp4", "no clip"),
        (".", "key.txt", "out.mp4", "cannot be read"),
        ("clip.mp4.age", "none.txt", "out.mp4", "no identity file"),
        ("clip.mp4.age", "key.txt", "nowhere/out.mp4", "no folder"),
        ("clip.mp4.age", "key.txt", ".", "is a folder"),
    ],
)
def test_a_wrong_name_is_told_in_a_sentence(
    home: Path, clip_name: str, key_name: str, out_name: str, sentence: str
) -> None:
    sealed_clip(home, JPEG)
    line = [str(home / clip_name), "--identity", str(home / key_name), "-o", str(home / out_name)]
    result = runner().invoke(open_, line)
    assert isinstance(result.exception, Mistake)
    assert sentence in str(result.exception)


def test_a_full_disk_is_told_and_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    result = run_open(home, sealed_clip(home, JPEG, "clip.jpg.age"), "-o", str(home / "out.jpg"))
    assert isinstance(result.exception, DeviceError)
    assert names(home) == {"key.txt", "clip.jpg.age"}


def test_plain_of_a_video_without_pictures_is_told(home: Path) -> None:
    nonsense = b"\x00\x00\x00\x10ftypisom\x00\x00\x00\x00" + bytes(1000)
    result = run_open(home, sealed_clip(home, nonsense), "-o", str(home / "out.mp4"), "--plain")
    assert result.exit_code == 3
    assert "without --plain" in result.stderr


def test_plain_of_a_clip_cut_in_its_first_fragment_says_both(home: Path, clip: bytes) -> None:
    torn = clip[: clip.index(b"moof")] + bytes(65536)
    path = sealed_clip(home, torn)
    path.write_bytes(path.read_bytes()[:-1])
    result = run_open(home, path, "-o", str(home / "out.mp4"), "--plain")
    assert result.exit_code == 3
    assert "cut short" in result.stderr
    assert "no whole piece of video" in result.stderr
    assert names(home) == {"key.txt", "clip.mp4.age"}


def test_wherever_it_is_cut_a_fragmented_video_repacks_whole_fragments(tmp_path: Path, clip: bytes) -> None:
    previous = -1
    for size in range(2000, len(clip), len(clip) // 12):
        draft = tmp_path / "draft"
        draft.write_bytes(clip[:size])
        with draft.open("rb") as file:
            whole = whole_fragments(file)
        assert previous <= whole <= size
        assert whole == 0 or clip[whole + 4 : whole + 8] in (b"moof", b"mfra")
        previous = whole
        if b"mdat" in clip[:whole]:
            seconds = remux(draft, tmp_path / "plain.mp4")
            assert seconds == pytest.approx(video_seconds(tmp_path / "plain.mp4"), abs=0.02)
            assert (seconds or 0) * 12 == pytest.approx(round((seconds or 0) * 12), abs=0.01)


def box(kind: bytes, body: bytes, *, large: bool = False) -> bytes:
    if large:
        return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body
    return struct.pack(">I4s", len(body) + 8, kind) + body


def test_boxes_of_every_size_are_walked() -> None:
    front = box(b"ftyp", bytes(8)) + box(b"moov", bytes(20))
    fragment = box(b"moof", bytes(9)) + box(b"mdat", bytes(30), large=True)
    to_the_end = box(b"moof", bytes(9)) + struct.pack(">I4s", 0, b"mdat") + bytes(40)
    assert whole_fragments(io.BytesIO(front + fragment + fragment[:-1])) == len(front + fragment)
    assert whole_fragments(io.BytesIO(front + fragment + to_the_end)) == len(front + fragment + to_the_end)
    assert whole_fragments(io.BytesIO(front + box(b"mfra", bytes(4)))) == len(front)
    assert whole_fragments(io.BytesIO(fragment)) == 0
    assert whole_fragments(io.BytesIO(front + struct.pack(">I4s", 7, b"mdat") + bytes(90))) == len(front)
    assert whole_fragments(io.BytesIO(front + struct.pack(">I4sQ", 1, b"mdat", 15) + bytes(90))) == len(front)


def test_keygen_makes_an_identity_that_its_words_bring_back(tmp_path: Path) -> None:
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    made = runner().invoke(keygen, ["-o", str(first)])
    assert made.exit_code == 0
    (identity,) = read_identities(first)
    assert str(identity.recipient) in made.output
    assert identity.line() not in made.output
    assert "on paper" in made.output
    table = made.output.split("\n\n")[1]
    back = runner().invoke(keygen, ["-o", str(second), "--from-words"], input=table)
    assert back.exit_code == 0
    assert read_identities(second) == (identity,)
    assert "paper" not in back.output


def test_keygen_keeps_the_words_to_itself_when_asked(tmp_path: Path) -> None:
    made = runner().invoke(keygen, ["-o", str(tmp_path / "key.txt"), "--no-words"])
    (identity,) = read_identities(tmp_path / "key.txt")
    assert made.exit_code == 0
    assert identity.words().split()[0] not in made.output.replace(str(tmp_path), "").split()
    again = runner().invoke(keygen, ["-o", str(tmp_path / "key.txt")])
    assert isinstance(again.exception, Mistake)
    assert read_identities(tmp_path / "key.txt") == (identity,)


def test_recipient_prints_what_the_door_needs(home: Path) -> None:
    result = runner().invoke(recipient, [str(home / "key.txt")])
    assert result.output == f"{OWNER.recipient}\n"
