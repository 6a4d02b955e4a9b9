"""The watch that the clock starts, by hand, on a real Prefect server."""

from typing import Any

import pytest
from prefect.client.schemas.objects import StateType

pytestmark = pytest.mark.timeout(300)


def test_the_watch_is_started_by_hand(desk: Any) -> None:
    desk.wait(desk.submit("时限巡查/deadline-watch"), StateType.COMPLETED)
