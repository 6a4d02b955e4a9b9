"""The kills of rounds of faults: planned by a seed, carried out beside everything else."""

import random
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.faults.machine import DATABASE, SERVER, WEB, WORKERS, Machine
from tests.faults.office import Office

LATEST = 3.0
"""Seconds by which a kill may come after what it waits for."""
REGISTERING = 5
"""One round in so many, at least one, falls into the registrations; the others into what is answered."""
STALLED = 15.0
"""Seconds without any progress after which the next kill of a round comes anyway."""
BEGAN = time.monotonic()


@dataclass
class Kill:
    """One kill: what, once so much is done (a registration, an answer), and so many seconds later."""

    round: int
    what: str
    after: int
    seconds: float
    at: datetime | None = None
    """When it happened; the rest is found out later."""
    done: int = 0
    back: float = 0.0
    """Seconds until it did its work again."""
    legs: int = 0
    """Legs of runs that were under way."""
    gone_on: float = 0.0
    """Seconds until the last of them had ended or was tried again."""


def kills(seed: int, rounds: int, registrations: int, actions: int) -> list[Kill]:
    """What is killed when, in order: of each round its four kills, within its part of all there is to do."""
    drawn = random.Random(seed)  # noqa: S311
    first = max(1, rounds // REGISTERING) if rounds > 1 else 0
    planned = []
    for number in range(rounds):
        if number < first:
            low, high = (registrations * place // (first + 1) for place in (number, number + 1))
        else:
            part = (actions - registrations) * 0.9 / (rounds - first)
            low, high = (registrations + round(part * place) for place in (number - first, number - first + 1))
        targets = [drawn.choice(WORKERS), SERVER, WEB, DATABASE]
        for what in targets:
            planned.append(Kill(number + 1, what, drawn.randint(low, high), round(drawn.uniform(0, LATEST), 2)))
    return sorted(planned, key=lambda kill: (kill.round, kill.after, kill.seconds))


@dataclass
class Storm:
    """Carries out the kills beside everything else, and keeps the machine running."""

    machine: Machine
    office: Office
    planned: list[Kill]
    over: bool = False
    stopped: bool = False
    failed: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        try:
            for number in sorted({kill.round for kill in self.planned}):
                self._round([kill for kill in self.planned if kill.round == number])
            self.over = True
            while not self.stopped:
                self.machine.tend()
                time.sleep(0.05)
        except BaseException as error:
            self.failed.append(error)

    def _round(self, waiting: list[Kill]) -> None:
        """A round is over when everything works again."""
        due: dict[int, float] = {}
        down: dict[str, tuple[Kill, float]] = {}
        looked, before, since = 0.0, -1, time.monotonic()
        while (waiting or down) and not self.stopped:
            now, done = time.monotonic(), self.office.actions
            if done != before:
                before, since = done, now
            for kill in waiting:
                if done >= kill.after:
                    due.setdefault(id(kill), now + kill.seconds)
            if waiting and not due and now - since > STALLED:
                due[id(waiting[0])] = since = now
            for kill in [each for each in waiting if due.get(id(each), now + 1) <= now]:
                waiting.remove(kill)
                del due[id(kill)]
                kill.at, kill.done = datetime.now(UTC), done
                self.machine.kill(kill.what)
                down[kill.what] = kill, now
                say(f"round {kill.round}: {kill.what} killed after {done} actions")
            self.machine.tend()
            if now - looked > 0.5:
                looked = now
                for what, (kill, since) in list(down.items()):
                    if self.machine.is_well(what):
                        kill.back = round(time.monotonic() - since, 1)
                        del down[what]
            time.sleep(0.05)


def say(what: str) -> None:
    sys.stdout.write(f"{time.monotonic() - BEGAN:7.1f} s  {what}\n")
    sys.stdout.flush()
