from doorbell.link import messages
from doorbell.link.messages import Message
from doorbell.link.outbox import REST_S, Outbox


def entries(*indices: int) -> list[tuple[int, Message]]:
    return [(one, messages.entry("front", index=one, encoded=b"{}")) for one in indices]


def test_entries_go_in_order_and_the_next_are_asked_for_when_there_is_room() -> None:
    outbox = Outbox()
    assert outbox.question(0) == 0
    assert outbox.question(0) is None, "one question at a time"
    outbox.answered(entries(1, 2, 3))
    assert [index for index, _ in outbox.take(0, 2)] == [1, 2]
    assert outbox.question(0) is None
    assert [index for index, _ in outbox.take(0, 2)] == [3]
    assert outbox.question(0) == 3


def test_an_empty_journal_is_asked_again_only_when_something_was_kept() -> None:
    outbox = Outbox()
    outbox.question(0)
    outbox.answered([])
    assert outbox.question(0) is None
    outbox.kept()
    assert outbox.question(0) == 0


def test_an_entry_kept_while_the_answer_was_on_its_way_is_asked_for() -> None:
    outbox = Outbox()
    outbox.question(0)
    outbox.kept()
    outbox.answered([])
    assert outbox.question(0) == 0


def test_an_answer_to_a_question_of_an_earlier_connection_skips_nothing() -> None:
    outbox = Outbox()
    outbox.question(0)
    outbox.answered(entries(1, 2))
    outbox.take(0, 8)
    assert outbox.question(0) == 2
    outbox.begin()
    assert outbox.question(0) == 0
    outbox.answered(entries(3, 4))
    assert outbox.take(0, 8) == []
    outbox.answered(entries(1, 2, 3, 4))
    assert [index for index, _ in outbox.take(0, 8)] == [1, 2, 3, 4]


def test_after_a_refusal_the_outbox_rests_and_begins_anew() -> None:
    outbox = Outbox()
    outbox.question(0)
    outbox.answered(entries(1, 2))
    outbox.take(0, 1)
    outbox.rest(5)
    assert outbox.take(5, 8) == [] and outbox.question(5) is None
    assert outbox.take(5 + REST_S, 8) == [] and outbox.question(5 + REST_S) == 0
