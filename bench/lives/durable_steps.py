"""The objection's story and steps with Prefect taken away: ``python -m bench.lives.durable_steps HOME URL WAY``.

``at-once`` answers each question as it is asked; ``in-legs`` ends the story there and begins it again from its first
line, as after each suspension. Both write the case, its audit entries and its notices, encrypted.
"""

import os
import secrets
import sys
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from ezt.samples import data as samples
from flows import objections as objection_case
from flows import story
from models.certificates import Certificate, CertificateType
from models.migrations import migrate
from runtime import clock
from runtime.database import reading
from runtime.keys import ensure_keys
from tasks.case.answers import Signature, answer_or_wait, take_officer_answer
from tasks.case.approvals import Approval, name_approver
from tasks.case.questions import Question
from tasks.case.step import DurableStep
from tasks.objections.questions import VerificationReply
from tasks.objections.registrations import register_objection
from tasks.office.officers import director
from tasks.office.signatures import DESK
from tests.conftest import FEW, SCAN, by_officer, certificates_with_address, objection_about

from .player import perform

APPROVER = "KQ001"
"""Who approves what the director drafts."""


class SuspendedError(Exception):
    """The story waits for an answer."""


def answers() -> dict[str, dict[str, Any]]:
    """What officers answer on the way to a correction, by letter because no bureau has a gateway here."""
    return {
        "initial-review": {"verdict": "受理"},
        "letter-posted": {"letter_no": "柯数〔2026〕3号", "posted_on": str(clock.today())},
        "verification-reply": {
            "finding": "原数据有误",
            "content": "门牌号有误",
            "corrected_value": "群贤路9999号",
            "reply_no": "绍数函〔2026〕1号",
            "replied_on": str(clock.today()),
        },
        "outcome": {"outcome": "已更正", "reason": "经核实，登记的地址有误，已更正。"},
        "approve-outcome": {"opinion": "同意", "reason": "错误明显，已电话告知持证主体。"},
    }


def install(home: str, url: str) -> Iterator[tuple[Certificate, CertificateType]]:
    """A new installation with sample data; its valid certificates that show an address, over and over."""
    os.environ |= {"EZT_HOME": home, "EZT_DATABASE_URL": url, "EZT_ONE_TIME_CODES": "false"}
    ensure_keys()
    migrate()
    samples.load(sizes=FEW)
    return cycle(certificates_with_address())


class Lives:
    """Objections from registration to the notice of their outcome, one after the other."""

    def __init__(self, home: str, url: str, *, in_legs: bool) -> None:
        self._certificates = install(home, url)
        self._in_legs = in_legs
        self._answers = answers()
        with reading() as session:
            # Who may answer for every officer.
            self._director = director(session).staff_no
        name_approver(APPROVER, True, by_officer(self._director))
        # Steps run without the Prefect task around them, and nothing is shown in pages that nobody has open.
        DurableStep._shown = DurableStep.run  # type: ignore[method-assign]
        objection_case.ask = self._ask
        story.show_case = story.kick = lambda *_: None

    def _ask(self, case_no: str, question: type[Question], turn: int = 1) -> dict[str, Any]:
        given = answer_or_wait(case_no, question, turn)
        if given is not None:
            return given
        if not self._in_legs:
            self._answer(case_no, question)
            return self._ask(case_no, question, turn)
        self._waiting = question
        raise SuspendedError

    def _answer(self, case_no: str, question: type[Question]) -> None:
        who = APPROVER if issubclass(question, Approval) else self._director
        files = [SCAN] if question is VerificationReply else []
        given, key = self._answers[question.question], secrets.token_hex(8)
        take_officer_answer(case_no, question, 1, key, given, Signature(who, "", DESK), files=files)

    def play(self) -> str:
        """One life; the case's number."""
        case_no = register_objection(
            objection_about(*next(self._certificates)), [], secrets.token_hex(8), "KQ001"
        ).case_no
        while True:
            try:
                objection_case.objection_case.fn(case_no)
            except SuspendedError:
                self._answer(case_no, self._waiting)
            else:
                return case_no


if __name__ == "__main__":
    perform(Lives(*sys.argv[1:3], in_legs=sys.argv[3] == "in-legs").play)
