"""Which clips go, whatever clocks and sizes do."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from doorbell.clips.retention import RESERVE, Forget, Held, to_forget

PLENTY = 10**12
clips_drawn = st.lists(
    st.tuples(st.integers(0, 40_000_000), st.sampled_from([0, 0, 90, 95, 99, 100, 101, 3750, 20000])), max_size=12
).map(lambda rows: [Held(f"clip{index}", index, size, day) for index, (size, day) in enumerate(rows, start=1)])


def chosen_of(
    held: list[Held], *, today: int, days: int, quota: int, free: int, running: int = 0, most: int = 99, before: int = 0
) -> tuple[Forget, ...]:
    used = running + sum(clip.bytes for clip in held)
    return to_forget(iter(held), used=used, today=today, days=days, quota=quota, free=free, most=most, before=before)


def gone(
    held: list[Held], today: int = 100, days: int = 5, quota: int = PLENTY, free: int = PLENTY, before: int = 0
) -> list[str]:
    chosen = chosen_of(held, today=today, days=days, quota=quota, free=free, before=before)
    return [forget.clip for forget in chosen]


def aged(*days: int) -> list[Held]:
    return [Held(str(index), index, 1, day) for index, day in enumerate(days, start=1)]


@given(
    clips_drawn, st.integers(0, 30_000), st.integers(1, 30), st.integers(0, 300_000_000), st.integers(0, 300_000_000)
)
def test_no_clip_goes_that_is_newer_than_one_that_stays(
    held: list[Held], today: int, days: int, quota: int, free: int
) -> None:
    chosen = chosen_of(held, today=today, days=days, quota=quota, free=free)
    assert [forget.clip for forget in chosen] == [clip.clip for clip in held][: len(chosen)]


@given(clips_drawn, st.integers(0, 300_000_000), st.integers(0, 300_000_000), st.integers(0, 40_000_000))
def test_what_stays_leaves_room_and_nothing_goes_needlessly(
    held: list[Held], quota: int, free: int, running: int
) -> None:
    chosen = {f.clip for f in chosen_of(held, today=0, days=1, quota=quota, free=free, running=running)}
    stays = running + sum(clip.bytes for clip in held if clip.clip not in chosen)
    freed = free + sum(clip.bytes for clip in held if clip.clip in chosen)
    assert len(chosen) == len(held) or (stays <= quota - RESERVE and freed >= RESERVE)
    if chosen:
        last = max((clip for clip in held if clip.clip in chosen), key=lambda clip: clip.index)
        assert stays + last.bytes > quota - RESERVE or freed - last.bytes < RESERVE


def test_a_clip_goes_when_its_days_are_over_and_not_before() -> None:
    assert gone(aged(94, 95, 100)) == ["1"]


def test_nothing_is_too_old_while_the_clock_is_unsynced() -> None:
    assert gone(aged(1, 2), today=0) == []


def test_a_clip_without_a_day_goes_with_the_next_that_has_one() -> None:
    assert gone(aged(0, 94, 0, 96)) == ["1", "2"]


def test_clips_without_any_day_stay_until_room_is_needed() -> None:
    assert gone(aged(0, 0, 0)) == []


def test_a_clock_that_was_behind_takes_no_earlier_clip_along() -> None:
    assert gone(aged(99, 1, 100)) == []


def test_a_clock_that_was_ahead_does_not_keep_clips_for_ever() -> None:
    assert gone(aged(93, 3750, 94, 99)) == ["1", "2", "3"]


@given(clips_drawn, st.integers(0, 300), st.integers(1, 30), st.integers(0, 300_000_000), st.integers(1, 5))
@example([Held("a", 1, 0, 95), Held("b", 2, 0, 90)], 95, 1, 0, 1)
def test_a_few_at_a_time_the_same_clips_go_for_the_same_reasons(
    held: list[Held], today: int, days: int, quota: int, most: int
) -> None:
    at_once = chosen_of(held, today=today, days=days, quota=quota, free=PLENTY)
    left, in_turn, before = list(held), [], 0
    while some := chosen_of(left, today=today, days=days, quota=quota, free=PLENTY, most=most, before=before):
        assert len(some) <= most
        in_turn += some
        before = max([before, *(clip.day for clip in left[: len(some)] if clip.day <= today)])
        left = left[len(some) :]
    assert tuple(in_turn) == at_once


def test_a_clock_that_falls_back_ages_no_clip_whose_older_neighbour_went_for_room() -> None:
    assert gone(aged(90), before=99) == []
    assert gone(aged(90), before=90) == ["1"]


def test_no_more_of_the_history_is_read_than_the_answer_needs() -> None:
    clips = iter(aged(94, 100, 100, 100))
    assert to_forget(clips, used=4, today=100, days=5, quota=PLENTY, free=PLENTY, most=32) == (Forget("1", "age"),)
    assert len(list(clips)) == 2


def test_the_reason_is_said() -> None:
    held = [Held("old", 1, 5, 1), Held("big", 2, 50, 99), Held("new", 3, 5, 99)]
    chosen = chosen_of(held, today=100, days=5, quota=RESERVE + 5, free=PLENTY)
    assert [(forget.clip, forget.why) for forget in chosen] == [("old", "age"), ("big", "room")]


def test_a_full_card_frees_the_oldest_although_the_quota_would_allow_more() -> None:
    held = [Held("a", 1, 20_000_000, 0), Held("b", 2, 20_000_000, 0), Held("c", 3, 20_000_000, 0)]
    assert gone(held, free=0) == ["a", "b"]
