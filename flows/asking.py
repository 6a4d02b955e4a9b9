"""Waiting for an answer, which is given at the desk."""

from typing import Any
from uuid import uuid4

from prefect.exceptions import Pause
from prefect.flow_runs import suspend_flow_run

from tasks.case.answers import answer_or_wait, settled
from tasks.case.notices import kick
from tasks.case.questions import Question
from tasks.desk.runs import nudge, show_case


def ask(case_no: str, question: type[Question], turn: int = 1) -> dict[str, Any]:
    """The recorded answer, whoever gave it; until there is one the run is suspended, which whoever records it ends.

    Nothing is typed here: the desk's page of the case asks. Resumed by hand, a run merely looks again. Raises
    ``CaseClosedError`` when the case ended meanwhile.
    """
    answer = answer_or_wait(case_no, question, turn)
    if answer is not None:
        return answer
    show_case(case_no)
    kick()
    try:
        # Every suspension needs a key of its own: one that was suspended on is spent.
        suspend_flow_run(key=uuid4().hex, timeout=None)
    except Pause:
        # Whoever has answered meanwhile found this run awake and left the answer to it. Nobody would wake it before
        # recovery.
        if settled(case_no, question, turn):
            nudge(case_no)
        raise
    raise AssertionError("a suspended run goes on from its first line")
