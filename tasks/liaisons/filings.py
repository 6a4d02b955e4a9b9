"""What a department files about its liaison officers (Article 13), in the shape of the desk's form and of the
interface."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from models.liaisons import FilingKind
from regulation.working_days import parse_day
from runtime.contacts import PHONE, AddressOrNothing
from runtime.words import Words
from tasks.office.days import DayText


class LiaisonFilingForm(BaseModel):
    """A filing (备案): somebody is designated, takes over from somebody, or ends."""

    model_config = ConfigDict(title="专人备案", extra="forbid", validate_default=True)

    kind: Annotated[FilingKind, Field(title="备案种类")]
    name: Annotated[Words, Field(title="姓名", description="终止时不填", max_length=60)] = ""
    position: Annotated[Words, Field(title="职务", max_length=60)] = ""
    phone: Annotated[Words, Field(title="电话", max_length=20, pattern=rf"^$|{PHONE}")] = ""
    email: Annotated[AddressOrNothing, Field(title="邮箱")] = ""
    replaces: Annotated[
        Words,
        Field(title="被替换或终止的专人", description="变更、终止时填其姓名；同名的填其登记的电话", max_length=60),
    ] = ""
    last_on: Annotated[
        DayText,
        Field(title="其最后在册日", description="如2026-12-31；不填则以确认之日为准", max_length=10),
    ] = ""

    @field_validator("name", "position", "phone", "email")
    @classmethod
    def _says_who(cls, text: str, info: ValidationInfo) -> str:
        kind = info.data.get("kind")
        if not text and kind not in (None, FilingKind.END):
            raise ValueError(f"未填写，{kind}备案须填写")
        return text

    @field_validator("replaces", "last_on")
    @classmethod
    def _says_whose_end(cls, text: str, info: ValidationInfo) -> str:
        kind = info.data.get("kind")
        if text and kind is FilingKind.APPOINTMENT:
            raise ValueError("请留空：指定备案不涉及他人；有人离任的请用“变更”或“终止”")
        if not text and info.field_name == "replaces" and kind not in (None, FilingKind.APPOINTMENT):
            raise ValueError(f"未填写，{kind}备案须填写")
        return text

    @property
    def last_day(self) -> date | None:
        return parse_day(self.last_on) if self.last_on else None
