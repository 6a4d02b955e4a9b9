"""Laws that demand the paper certificate, entered and ended by directors (Article 7)."""

from collections.abc import Mapping, Sequence
from datetime import date

from pydantic import Field
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.certificate_uses import PaperException
from models.organisations import Officer
from runtime import clock
from runtime.refusals import InputError, Mistakes
from runtime.words import Words
from tasks.case.attachments import File
from tasks.case.kind import Table
from tasks.case.start import About, Begun, Start, Typed
from tasks.guides.items import item_named
from tasks.guides.paper_exceptions import ONLY_DIRECTORS, end_exception, enter_exception, exceptions_table
from tasks.register.types import type_named, type_names

GROUP = "证照和异议"


class EnterException(Start):
    about = About(
        code="paper-exception",
        named="登记法定纸质例外",
        group=GROUP,
        article="第七条",
        does="登记法律、法规要求纸质证照的规定；用证接口据此答复窗口。",
        deployment="paper-exception",
        words="法律 法规 依据 原件",
        only_directors=ONLY_DIRECTORS,
    )

    certificate_type: Words = Field(title="证照类型", description="目录中的名称或类型代码", min_length=1, max_length=60)
    item_code: Words = Field("", title="事项", description="编码或名称；留空为全部事项", max_length=60)
    citation: Words = Field(title="法律、法规依据", description="名称和条款", min_length=4, max_length=300)
    from_on: date = Field(title="生效日期")
    until_on: date | None = Field(None, title="失效日期（含）", description="留空为长期")

    @classmethod
    def there(cls, session: Session, today: date) -> Table | None:
        return exceptions_table(session, today)

    @classmethod
    def offered(cls, session: Session, typed: Typed) -> Mapping[str, Sequence[str]]:
        return {"certificate_type": sorted(type_names(session).values())}

    def check(self, session: Session, officer: Officer, today: date) -> None:
        mistakes = Mistakes()
        with mistakes.beside("certificate_type"):
            type_named(session, self.certificate_type)
        with mistakes.beside("item_code"):
            if self.item_code:
                item_named(session, self.item_code)
        with mistakes.beside("until_on"):
            if self.until_on is not None and self.until_on < self.from_on:
                raise InputError("失效日期早于生效日期，请更正。")
        mistakes.say()

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        enter_exception(self.certificate_type, self.item_code, self.citation, self.from_on, self.until_on, officer)
        until = f"至{self.until_on}" if self.until_on is not None else "起长期"
        return Begun(f"“{self.certificate_type}”的法定纸质例外自{self.from_on}{until}有效。")


class EndException(Start):
    about = About(
        code="paper-exception-end",
        named="终止法定纸质例外",
        group=GROUP,
        article="第七条",
        does="登记一项法定纸质例外的最后一日。",
        deployment="paper-exception-end",
        words="法律 法规 废止 失效",
        only_directors=ONLY_DIRECTORS,
    )

    number: Words = Field(title="哪一项", min_length=1, max_length=20)
    last_on: date = Field(title="最后一日")

    @classmethod
    def there(cls, session: Session, today: date) -> Table | None:
        return exceptions_table(session, today)

    @classmethod
    def choices(cls, session: Session, typed: Typed) -> Mapping[str, Mapping[str, str]]:
        names, today = type_names(session), clock.today()
        holds = or_(PaperException.until_on.is_(None), PaperException.until_on >= today)
        there = session.scalars(select(PaperException).where(holds).order_by(PaperException.id))
        return {
            "number": {
                str(each.id): f"{each.id} {names[each.type_code]}，{each.item_code or '全部事项'}，{each.citation}"
                for each in there
            }
        }

    def check(self, session: Session, officer: Officer, today: date) -> None:
        if self.number not in self.choices(session, {})["number"]:
            raise InputError.of("number", "没有这一项法定纸质例外，请重新选择。")
        there = session.get_one(PaperException, int(self.number))
        if self.last_on < there.from_on:
            raise InputError.of("last_on", f"最后一日早于生效日期{there.from_on}，请更正。")

    def begin(self, key: str, officer: Officer, files: Sequence[File]) -> Begun:
        end_exception(int(self.number), self.last_on, officer)
        return Begun(f"序号{self.number}的法定纸质例外到{self.last_on}为止。")
