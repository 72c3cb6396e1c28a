"""`doorbell replay` over real files: what it prints, and what a bad file costs."""

import json
import os
import random
import shutil
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from click.testing import CliRunner

from doorbell.__main__ import main
from doorbell.replay.picture import png, timeline
from doorbell.replay.spans import WHY, Spans
from doorbell.scene import Scene, Script, Visitor
from doorbell.vision.gates import Gate
from doorbell.vision.motion import Seen

FPS = 10


def write(path, planes, size, *, format_name="mp4", options=None):
    with av.open(str(path), "w", format=format_name, options=options or {}) as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"g": "20", "bf": "0"}
        for index, drawn in enumerate(planes):
            frame = av.VideoFrame.from_ndarray(drawn, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def planes():
    scene = Scene(320, 240, seed=2, script=Script(happenings=(Visitor(at=3.0),), noise=1.0))
    drawn = [scene.frame(index / FPS) for index in range(15 * FPS)]
    return [np.concatenate([f.y.ravel(), f.u.ravel(), f.v.ravel()]).reshape(360, 320) for f in drawn]


@pytest.fixture(scope="module")
def video(planes, tmp_path_factory):
    return write(tmp_path_factory.mktemp("videos") / "visit.mp4", planes, (320, 240))


@pytest.fixture(scope="module")
def fragmented(planes, tmp_path_factory):
    path = tmp_path_factory.mktemp("videos") / "fragmented.mp4"
    return write(path, planes, (320, 240), options={"movflags": "frag_keyframe+empty_moov+default_base_moof"})


def replay(*arguments):
    return CliRunner().invoke(main, ["replay", *map(str, arguments)])


def rows(*arguments):
    done = replay(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def motions(*arguments):
    return [row for row in rows(*arguments) if row["type"] == "motion"]


def test_it_tells_each_span_and_ends_with_a_summary(video):
    told = rows(video)
    (span,) = [row for row in told if row["type"] == "motion"]
    assert 30 < span["f0"] < span["f1"] < 150
    assert span["t"] == pytest.approx(span["f0"] / FPS, abs=0.05)
    assert span["began"] <= span["t"] and span["gate"] in ("mass", "travel")
    assert (told[-1]["type"], told[-1]["frames"]) == ("summary", 150)


def test_a_prefix_of_a_video_begins_its_spans_at_the_same_pictures(planes, video, tmp_path):
    whole = [row["f0"] for row in motions(video)]
    for length in (60, 125, 140):
        part = [row["f0"] for row in motions(write(tmp_path / f"{length}.mp4", planes[:length], (320, 240)))]
        assert part == [f0 for f0 in whole if f0 < length]


def test_a_zone_may_be_one_polygon_or_several(video):
    everything = [[0, 0], [1, 0], [1, 1], [0, 1]]
    sky = [[0, 0], [0.2, 0], [0.2, 0.1]]
    assert motions(video, "--zone", json.dumps(everything)) == motions(video)
    assert motions(video, "--zone", json.dumps(sky)) == []
    assert motions(video, "--zone", json.dumps([sky, everything])) == motions(video)


def test_why_says_what_was_held_back_and_at_which_gate(video):
    held = [row for row in rows(video, "--why", "--zone", "[[0,0],[0.2,0],[0.2,0.1]]") if row["type"] == "held"]
    assert {row["gate"] for row in held} >= {"zone"}
    assert all(row["why"] == WHY[Gate(row["gate"])] for row in held)


def test_the_sentences_for_a_person_name_time_and_reason(video):
    output = replay(video, "--why").output
    assert "motion for" in output and "pictures," in output


def test_it_scales_first_when_asked(video):
    assert len(motions(video, "--size", "640x480")) >= 1


def test_the_strongest_moment_is_drawn_as_a_png(video, tmp_path):
    assert replay(video, "--picture", tmp_path / "out.png").exit_code == 0
    with av.open(str(tmp_path / "out.png")) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height) == (320, 240 + 24)
    drawn = frame.to_ndarray(format="rgb24")
    assert (drawn[:240] == (240, 60, 60)).all(2).any()


def test_the_whole_video_is_drawn_as_an_mp4(video, tmp_path):
    assert replay(video, "--picture", tmp_path / "out.mp4").exit_code == 0
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 150


def test_a_picture_that_cannot_be_written_is_a_sentence(video, tmp_path):
    done = replay(video, "--picture", tmp_path / "no" / "out.png")
    assert (done.exit_code, "Traceback" in done.output) == (1, False)
    assert "could not be written" in done.output


def test_a_sealed_clip_is_opened_with_the_identity(fragmented, video, tmp_path):
    runner = CliRunner()
    made = runner.invoke(main, ["keygen", "-o", str(tmp_path / "owner.txt")])
    assert made.exit_code == 0, made.output
    recipient = runner.invoke(main, ["recipient", str(tmp_path / "owner.txt")]).stdout.split()[0]
    sealed = tmp_path / "clip.mp4.age"
    subprocess.run(["age", "-r", recipient, "-o", sealed, fragmented], check=True)
    opened = motions(sealed, "--identity", tmp_path / "owner.txt")
    assert [row["f0"] for row in opened] == [row["f0"] for row in motions(video)]


def test_a_sealed_clip_of_somebody_else_is_a_sentence(fragmented, tmp_path):
    runner = CliRunner()
    for name in ("mine", "other"):
        runner.invoke(main, ["keygen", "-o", str(tmp_path / name)])
    recipient = runner.invoke(main, ["recipient", str(tmp_path / "other")]).stdout.split()[0]
    sealed = tmp_path / "clip.mp4.age"
    subprocess.run(["age", "-r", recipient, "-o", sealed, fragmented], check=True)
    done = replay(sealed, "--identity", tmp_path / "mine")
    assert (done.exit_code, "Traceback" in done.output) == (1, False)
    assert "no video" not in done.output


def test_a_sealed_clip_cut_short_gives_what_is_whole_and_says_so(fragmented, tmp_path):
    runner = CliRunner()
    runner.invoke(main, ["keygen", "-o", str(tmp_path / "mine")])
    recipient = runner.invoke(main, ["recipient", str(tmp_path / "mine")]).stdout.split()[0]
    sealed = tmp_path / "clip.mp4.age"
    subprocess.run(["age", "-r", recipient, "-o", sealed, fragmented], check=True)
    sealed.write_bytes(sealed.read_bytes()[: sealed.stat().st_size * 2 // 3])
    done = replay(sealed, "--identity", tmp_path / "mine", "--json")
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.exit_code == 1
    assert told[-1]["type"] == "summary" and 20 < told[-1]["frames"] < 150
    assert "Traceback" not in done.output


def test_a_video_cut_short_gives_what_is_whole_and_says_so(fragmented, tmp_path):
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(fragmented.read_bytes()[: fragmented.stat().st_size * 2 // 3])
    done = replay(cut, "--json")
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert told[-1]["type"] == "summary"
    assert 20 < told[-1]["frames"] < 150
    assert "Traceback" not in done.output


def test_a_video_without_its_index_is_a_sentence(video, tmp_path):
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(video.read_bytes()[:5000])
    done = replay(cut)
    assert done.exit_code == 1
    assert "no video that can be opened" in done.output


@pytest.mark.parametrize("content", [b"", b"not a video", os.urandom(20000)], ids=["empty", "text", "noise"])
def test_what_is_no_video_is_a_sentence(content, tmp_path):
    (tmp_path / "x.mp4").write_bytes(content)
    done = replay(tmp_path / "x.mp4")
    assert (done.exit_code, "Traceback" in done.output) == (1, False)
    assert done.output.startswith("doorbell: ")


def test_one_picture_is_an_answer(planes, tmp_path):
    assert rows(write(tmp_path / "one.mp4", planes[:1], (320, 240)))[-1]["frames"] == 1


def test_pictures_too_small_to_look_at_are_a_sentence(tmp_path):
    tiny = [np.zeros((24, 16), np.uint8)] * 3
    done = replay(write(tmp_path / "tiny.mp4", tiny, (16, 16)))
    assert done.exit_code == 1
    assert "at least 32x24" in done.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--zone", "[[0,0"], "--zone is no JSON"),
        (["--zone", "[[0,0],[2,0],[1,1]]"], "corner 2"),
        (["--zone", "5"], "--zone"),
        (["--size", "320"], "320x240"),
        (["--size", "1x1"], "320x240"),
        (["--picture", "out.gif"], ".png or an .mp4"),
    ],
)
def test_a_wrong_option_says_how_to_write_it(video, arguments, sentence):
    done = replay(video, *arguments)
    assert done.exit_code == 1
    assert sentence in done.output.replace("neither .png nor .mp4", ".png or an .mp4")


def test_a_video_that_is_not_there_is_a_sentence(tmp_path):
    assert "no video" in replay(tmp_path / "none.mp4").output


def test_a_decoder_that_crashes_costs_a_sentence(video, monkeypatch, tmp_path):
    crash = tmp_path / "python"
    crash.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crash.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crash))
    done = replay(video)
    assert (done.exit_code, "Traceback" in done.output) == (1, False)
    assert "signal 11" in done.output


CHILD = """#!/bin/sh
exec {python} -c '
import sys, time
import doorbell.replay.watcher as watcher
sys.argv = ["watcher", sys.argv[-1]]
{change}
sys.exit(watcher.main())
' "$@"
"""


def with_child(monkeypatch, tmp_path, change):
    """The real child, with one thing *change*d in it."""
    child = tmp_path / "python"
    child.write_text(CHILD.format(python=sys.executable, change=change))
    child.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(child))


def test_a_video_that_wants_more_memory_than_there_is_is_a_sentence(video, monkeypatch, tmp_path):
    """It takes so much of the memory and no more: the limit is lowered here to what the child has already."""
    used = 'int(next(l for l in open("/proc/self/status") if l.startswith("VmSize")).split()[1]) * 1024'
    with_child(monkeypatch, tmp_path, f"watcher.MOST_MEMORY = {used} + 2**20")
    done = replay(video)
    assert (done.exit_code, "Traceback" in done.output) == (1, False)
    assert "GB of memory" in done.output


ENDLESS = """
def pictures(*_):
    while True:
        {what}
    yield
watcher.pictures = pictures
"""


@pytest.mark.parametrize(("what", "limit"), [("pass", "MOST_CPU_S"), ("time.sleep(100)", "MOST_WAIT_S")])
def test_a_decoder_that_comes_to_no_end_is_ended(video, monkeypatch, tmp_path, what, limit):
    with_child(monkeypatch, tmp_path, ENDLESS.format(what=what) + f"watcher.{limit} = 0.1")
    done = replay(video)
    assert (done.exit_code, "Traceback" in done.output) == (1, False)
    assert "no next picture" in done.output


def test_a_child_that_says_nonsense_costs_a_sentence(video, monkeypatch, tmp_path):
    with_child(monkeypatch, tmp_path, 'print("{half a li")')
    done = replay(video)
    assert (done.exit_code, "Traceback" in done.output) == (1, False)
    assert "crashed in the middle of a line" in done.output


def test_a_hostile_video_ends_in_rows_or_a_sentence(video, fragmented, tmp_path, request):
    """Bytes changed, taken out and put in, in the boxes and in the H.264; the end cut off."""
    seed = getattr(request.config.option, "randomly_seed", 0)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for number in range(8):
        data = bytearray(chance.choice((video, fragmented)).read_bytes())
        for _ in range(chance.choice((1, 10, 1000))):
            at = chance.randrange(len(data))
            data[at : at + chance.randint(0, 4)] = chance.randbytes(chance.randint(0, 4))
        hostile = tmp_path / f"{number}.mp4"
        hostile.write_bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])
        done = replay(hostile)
        assert done.exit_code in (0, 1), (number, done.output)
        assert "Traceback" not in done.output, (number, done.output)
        assert done.exit_code == 0 or "doorbell: " in done.output, (number, done.output)


def test_rows_are_told_as_soon_as_a_span_is_over():
    spans, told = Spans(), []
    for index in range(60):
        active = 10 <= index < 20
        seen = Seen(active, index / 10, (0.1, 0.2, 0.3, 0.4), 0.5, Gate.MASS if active else Gate.NOTHING)
        told += [(index, row["f0"], row["f1"]) for row in spans.take(index, index / 10, seen)]
    assert told == [(20, 10, 19)]
    assert list(spans.end()) == []


def test_tampering_is_told_once():
    spans, told = Spans(), []
    for index in range(30):
        told += list(spans.take(index, index / 10, Seen(tamper=10 <= index < 20)))
    assert told == [{"type": "tamper", "frame": 10, "t": 1.0}]


def test_every_gate_has_its_reason_and_its_colour():
    assert set(WHY) == set(Gate) - {Gate.NOTHING}
    strip = timeline(bytes(range(len(Gate))), bytes(len(Gate)), len(Gate))
    assert len({tuple(colour) for colour in strip[-1]}) == len(Gate)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_our_png_is_a_png(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (5, 7, 3), np.uint8)
    (tmp_path / "x.png").write_bytes(png(pixels))
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(tmp_path / "x.png"), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        capture_output=True,
        check=True,
    ).stdout
    assert raw == pixels.tobytes()


def test_a_sealed_clip_without_an_identity_is_told_what_it_needs(tmp_path):
    (tmp_path / "clip.mp4.age").write_bytes(b"age-encryption.org/v1\n")
    done = CliRunner().invoke(main, ["replay", str(tmp_path / "clip.mp4.age")])
    assert done.exit_code == 1
    assert "is sealed: give your identity file with --identity" in done.output
