"""What tests of several pages of the desk begin with."""

import pytest

from tasks.case import answers
from tasks.objections.questions import InitialReview
from tests.conftest import Clerk


@pytest.fixture
def case(clerk: Clerk) -> Clerk:
    """An objection whose story asks for the initial review."""
    registered = clerk.register()
    assert answers.answer_or_wait(registered.case_no, InitialReview, 1) is None
    return registered
