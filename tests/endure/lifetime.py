"""What a life of the door came to: how much it took, what it lost, what it wrote."""

from __future__ import annotations

from collections import Counter
from statistics import median

from attrs import define, field

from tests.endure.vitals import Vitals, growth_kb

WARM_S = 6.0
"""Memory is compared only after a process has done everything once."""
MOST_GROWN_KB = 2048
"""One process of a life of faults: the journal's cache (512 kB), and what waits while nobody takes it. Row 13 holds an
undisturbed life to half."""
MOST_MORE = 2
"""Descriptors and threads: a connection that is just being made."""
LOOKS = 3
"""At either end of a life; the middle one counts, for a link may be down at one of them."""
SENT_AGAIN = {"cut": 16, "lose_broker": 16, "stall": 16, "kill_doorman": 300}
"""Entries that one fault may have sent twice: those on their way; after a kill the acknowledgements of 30 s as well."""


@define
class Report:
    """What a life came to."""

    seed: int
    seconds: float = 0.0
    film_s: float = 0.0
    """Seconds of film that the recorders have seen."""
    events: int = 0
    presses: int = 0
    rang: int = 0
    faults: Counter[str] = field(factory=Counter)
    doormen: int = 0
    recorders: int = 0
    heard: dict[int, bytes] = field(factory=dict)
    """Entries that reached the broker, by index."""
    twice: int = 0
    gone: list[int] = field(factory=list)
    """Entries that the broker had and that are not on the card, or otherwise."""
    unheard: dict[int, str] = field(factory=dict)
    """Entries on the card that nobody heard from the broker, and what they are."""
    stale: list[float] = field(factory=list)
    """Ages in seconds of alerts that came too late."""
    findings: tuple[str, ...] = ()
    aside: int = 0
    """Files that a start put aside: of clips that the journal never came to know."""
    written: int = 0
    clips: int = 0
    lives: dict[int, list[Vitals]] = field(factory=dict)
    """Looks at each process, doorman and recorder."""
    doorman_pids: set[int] = field(factory=set)

    @property
    def speed(self) -> float:
        return self.film_s / max(self.seconds, 0.1)

    @property
    def lost(self) -> int:
        return len(self.gone) + len(self.unheard)

    def grew_kb(self, *, doorman: bool) -> float:
        """The most that any one doorman, or recorder, grew after it was warm."""
        of = [looks for pid, looks in self.lives.items() if (pid in self.doorman_pids) == doorman]
        return max((growth_kb(warm(looks)) for looks in of), default=0.0)

    def more(self, what: str) -> int:
        """The most that one process had more of *what* at its end than when it was warm."""
        lives = [[getattr(one, what) for one in warm(looks)] for looks in self.lives.values()]
        return max((median(life[-LOOKS:]) - median(life[:LOOKS]) for life in lives if len(life) > LOOKS), default=0)

    def most_mb(self) -> float:
        """The largest doorman and the largest recorder together."""
        largest = {True: 0, False: 0}
        for pid, looks in self.lives.items():
            mine = pid in self.doorman_pids
            largest[mine] = max(largest[mine], *(one.pss_kb for one in looks))
        return sum(largest.values()) / 1024

    def wrong(self) -> list[str]:
        """What of it breaks a promise, a sentence each."""
        grown = max(self.grew_kb(doorman=True), self.grew_kb(doorman=False))
        again = sum(SENT_AGAIN.get(name, 0) * count for name, count in self.faults.items())
        broken = {
            f"{self.lost} entries lost": self.lost,
            f"{len(self.stale)} stale rings": len(self.stale),
            f"{self.presses - self.rang} of {self.presses} presses did not ring": self.presses - self.rang,
            f"{len(self.findings)} findings of doorbell check": len(self.findings),
            f"one process grew by {grown:.0f} kB, {MOST_GROWN_KB} are allowed": grown > MOST_GROWN_KB,
            f"{self.twice} entries were sent twice, {again} are allowed for these faults": self.twice > again,
            "descriptors pile up": self.more("descriptors") > MOST_MORE,
            "threads pile up": self.more("threads") > MOST_MORE,
        }
        return [sentence for sentence, is_so in broken.items() if is_so]

    def lines(self) -> list[str]:
        """For a person."""
        faults = ", ".join(f"{count} x {name}" for name, count in sorted(self.faults.items())) or "none"
        hours, mine, its = max(self.film_s / 3600, 0.01), self.grew_kb(doorman=True), self.grew_kb(doorman=False)
        return [
            f"seed {self.seed}: {self.seconds / 60:.1f} minutes, {hours:.1f} hours of film ({self.speed:.0f}x)",
            f"events handled: {self.events:,}; presses {self.presses:,}, rung {self.rang:,}",
            f"faults: {faults}",
            f"started: {self.doormen} doormen, {self.recorders} recorders",
            f"memory: {self.most_mb():.0f} MB at most; a doorman grew {mine:.0f} kB, a recorder {its:.0f} kB",
            f"more at the end: {self.more('descriptors')} descriptors, {self.more('threads')} threads",
            f"entries: {len(self.heard):,} at the broker, {self.lost} lost, {self.twice} sent twice",
            *(f"  never heard: {index}, {told}" for index, told in [*self.unheard.items()][:10]),
            *(f"  not on the card: {index}" for index in self.gone[:10]),
            f"stale rings: {len(self.stale)}" + "".join(f", {age:.1f} s" for age in self.stale[:10]),
            f"written: {self.written / 1e6:.0f} MB, {self.written / 1e6 / hours:.1f} MB an hour of film",
            f"put aside after the deaths: {self.aside} files",
            f"left: {self.clips} clips, {len(self.findings)} findings of doorbell check",
            *(f"  {finding}" for finding in self.findings[:20]),
        ]


def warm(looks: list[Vitals]) -> list[Vitals]:
    """Without the first of its life, in which a process does everything for the first time."""
    least = max(WARM_S, (looks[-1].at - looks[0].at) / 5) if looks else 0.0
    return [one for one in looks if one.at - looks[0].at >= least]
