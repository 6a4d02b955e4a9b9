"""A day as staff and departments type it."""

from typing import Annotated

from pydantic import AfterValidator, Field

from regulation.working_days import CalendarError, parse_day
from runtime.words import Words


def _day_or_nothing(text: str) -> str:
    try:
        return str(parse_day(text)) if text else text
    except CalendarError as wrong:
        raise ValueError(f"有误：{wrong}") from None


DayText = Annotated[Words, AfterValidator(_day_or_nothing), Field(json_schema_extra={"format": "date"})]
"""A day as text, or nothing."""
