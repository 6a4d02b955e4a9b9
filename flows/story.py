"""How the run of a case begins and ends, whatever its story is."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps

from prefect import Flow, flow

from tasks.case.history import remembering
from tasks.case.notices import kick
from tasks.case.step import CaseClosedError
from tasks.desk.runs import check_story, show_case


def story(name: str) -> Callable[[Callable[[str], None]], Flow[[str], None]]:
    """Make a function of a case's number the flow that Prefect knows by this Chinese name.

    It knows what has happened in the case; when it has ended, its sheet is shown and what it has queued is sent. A case
    that is closed meanwhile, by a withdrawal or because its cause is gone, has been told and recorded: it ends there.
    One of another kind is not touched: who has Prefect's password can start any story with any number.
    """

    def made(tell: Callable[[str], None]) -> Flow[[str], None]:
        @wraps(tell)
        def told(case_no: str) -> None:
            check_story(case_no, name)
            with remembering(case_no), suppress(CaseClosedError):
                tell(case_no)
            show_case(case_no)
            kick()

        return flow(name=name, persist_result=False)(told)

    return made
