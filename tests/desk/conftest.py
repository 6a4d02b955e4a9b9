"""What tests of several pages of the desk begin with."""

from collections.abc import Callable, Iterator

import pytest

from ezt.desk import Desk
from tasks.case import answers
from tasks.objections.questions import InitialReview
from tests.conftest import Clerk


@pytest.fixture
def case(clerk: Clerk) -> Clerk:
    """An objection whose story asks for the initial review."""
    registered = clerk.register()
    assert answers.answer_or_wait(registered.case_no, InitialReview, 1) is None
    return registered


@pytest.fixture
def one_time_codes() -> bool:
    """Whether staff sign with one-time codes; a module that needs them says so by a fixture of this name."""
    return False


@pytest.fixture
def desk(web: str, configure: Callable[..., None], one_time_codes: bool) -> Iterator[Desk]:
    """The desk in a browser."""
    configure(EZT_ONE_TIME_CODES=str(one_time_codes).lower())
    opened = Desk(None, web)  # type: ignore[arg-type]
    yield opened
    opened.close()
