"""Row 2: whatever a cut leaves of a clip is a true prefix of it, and nobody calls it complete."""

from __future__ import annotations

import io
import random
import subprocess
from pathlib import Path

import pytest

from doorbell.clips.leftovers import settle
from doorbell.clips.seal import CHUNK, SEALED_CHUNK, seal, whole_chunks
from doorbell.clips.store import prepare
from doorbell.owner.identity import Identity
from doorbell.owner.unseal import CutError, NotAgeError, unseal
from tests.endure.rows import count, named, seeds, tell

pytestmark = [pytest.mark.endure, pytest.mark.row(2)]

CLIP = "a" * 26
OWNERS = [Identity(bytes([number]) * 32) for number in range(1, 6)]


def places(sealed: bytes, header: int) -> list[int]:
    """Each border of the format with its neighbours: header lines, nonce, chunks, tags, the end."""
    lines = [at + 1 for at, byte in enumerate(sealed[: header - 16]) if byte == 0x0A]
    borders = [0, *lines, header - 16, header, *range(header, len(sealed), SEALED_CHUNK)]
    borders += [at + SEALED_CHUNK - 16 for at in range(header, len(sealed) - SEALED_CHUNK, SEALED_CHUNK)]
    borders += [len(sealed) - 16, len(sealed)]
    return sorted({at + by for at in borders for by in (-1, 0, 1) if 0 <= at + by < len(sealed)})


def opened(sealed: bytes, owner: Identity) -> tuple[bytes, str]:
    """What a reader gets, and the word with which it ends."""
    got = []
    try:
        got.extend(unseal([owner], io.BytesIO(sealed)))
    except (CutError, NotAgeError) as error:
        return b"".join(got), error.word
    return b"".join(got), "complete"


def cut_and_look(folder: Path, plain: bytes, sealed: bytes, header: int, at: int, owner: Identity) -> None:
    """Both readers of a cut file: the owner with what the card holds, and the door that puts it in order."""
    got, word = opened(sealed[:at], owner)
    assert word in ("cut", "not_age") and (word == "cut" or at < header), (at, word)
    assert plain.startswith(got)
    assert len(got) == max(0, at - header) // SEALED_CHUNK * CHUNK
    (folder / f"{CLIP}.part").write_bytes(sealed[:at])
    left = settle(folder, CLIP)
    kept = folder / f"{CLIP}.mp4.age"
    assert left.bytes == (header + len(got) // CHUNK * SEALED_CHUNK if got else 0)
    if left.bytes:
        assert opened(kept.read_bytes(), owner) == (got, "cut")
        kept.unlink()


def test_wherever_a_clip_is_cut_what_opens_is_a_true_prefix(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "state")
    done = 0
    for seed in seeds(3, 40):
        with named(seed):
            chance = random.Random(seed)
            recipients = chance.choice((1, 1, 2, 5))
            sizes = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, chance.randrange(6 * CHUNK))
            plain = chance.randbytes(sizes[seed % len(sizes)])
            sealed = seal([owner.recipient for owner in OWNERS[:recipients]], plain)
            header = whole_chunks(sealed[:4096], min(len(sealed), 4096))
            assert opened(sealed, OWNERS[recipients - 1]) == (plain, "complete")
            cuts = places(sealed, header)
            cuts += [chance.randrange(len(sealed)) for _ in range(max(0, 250 - len(cuts)))]
            for at in cuts:
                cut_and_look(folder, plain, sealed, header, at, OWNERS[recipients - 1])
            done += len(cuts)
    method = "borders of header lines, nonce, chunks and tags, each ± 1 byte, and random places; `unseal` and `settle`"
    tell(2, method, f"{done:,} of {done:,}: true prefixes, 0 called complete", cuts=done)


def test_the_stock_tool_calls_no_cut_clip_complete(tmp_path: Path) -> None:
    identity = tmp_path / "owner.txt"
    identity.write_text(OWNERS[0].line() + "\n")
    plain = random.Random(2).randbytes(3 * CHUNK + 500)
    sealed = seal([OWNERS[0].recipient], plain)
    header = whole_chunks(sealed[:4096], 4096)
    every = places(sealed, header)
    cuts = random.Random(1).sample(every, count(6, len(every)))
    for at in cuts:
        done = subprocess.run(
            ["age", "-d", "-i", str(identity)], input=sealed[:at], capture_output=True, check=False, timeout=20
        )
        assert done.returncode != 0
        assert plain.startswith(done.stdout)
    tell(2, "the same with Debian's `age`", f"{len(cuts)} of {len(cuts)}: refused after a true prefix")
