from doorbell.link import messages
from doorbell.link.messages import Message
from doorbell.link.outbox import REST_S, Ask, Outbox


def entries(*indices: int) -> list[tuple[int, Message]]:
    return [(one, messages.entry("front", index=one, encoded=b"{}")) for one in indices]


def asks(outbox: Outbox, at: float = 0) -> Ask:
    ask = outbox.question(at)
    assert ask is not None
    return ask


def test_entries_go_in_order_and_the_next_are_asked_for_when_there_is_room() -> None:
    outbox = Outbox()
    ask = asks(outbox)
    assert ask.after == 0
    assert outbox.question(0) is None, "one question at a time"
    outbox.answered(ask.question, entries(1, 2, 3))
    assert [index for index, _ in outbox.take(0, 2)] == [1, 2]
    assert outbox.question(0) is None
    assert [index for index, _ in outbox.take(0, 2)] == [3]
    assert asks(outbox).after == 3


def test_an_empty_journal_is_asked_again_only_when_something_was_kept() -> None:
    outbox = Outbox()
    outbox.answered(asks(outbox).question, [])
    assert outbox.question(0) is None
    outbox.kept()
    assert asks(outbox).after == 0


def test_an_entry_kept_while_the_answer_was_on_its_way_is_asked_for() -> None:
    outbox = Outbox()
    ask = asks(outbox)
    outbox.kept()
    outbox.answered(ask.question, [])
    assert asks(outbox).after == 0


def test_an_answer_to_a_question_of_an_earlier_connection_skips_nothing() -> None:
    outbox = Outbox()
    outbox.answered(asks(outbox).question, entries(1, 2))
    outbox.take(0, 8)
    old = asks(outbox)
    assert old.after == 2
    outbox.begin()
    new = asks(outbox)
    assert new.after == 0
    outbox.answered(old.question, entries(3, 4))
    assert outbox.take(0, 8) == []
    outbox.answered(new.question, entries(1, 2, 3, 4))
    assert [index for index, _ in outbox.take(0, 8)] == [1, 2, 3, 4]


def test_links_that_break_before_a_slow_card_has_answered_stop_nothing() -> None:
    outbox = Outbox()
    for _ in range(3):
        asks(outbox)  # the card is slow: of several questions only the newest is answered
        outbox.begin()
    outbox.answered(asks(outbox).question, entries(1, 2))
    assert [index for index, _ in outbox.take(0, 8)] == [1, 2]
    assert asks(outbox).after == 2


def test_after_a_refusal_the_outbox_rests_and_begins_anew() -> None:
    outbox = Outbox()
    outbox.answered(asks(outbox).question, entries(1, 2))
    outbox.take(0, 1)
    outbox.rest(5)
    assert outbox.take(5, 8) == [] and outbox.question(5) is None
    assert outbox.take(5 + REST_S, 8) == [] and asks(outbox, 5 + REST_S).after == 0
