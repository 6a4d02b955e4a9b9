"""The exceptions of Article 7: entering a law that demands paper, and its end."""

from datetime import date

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from pydantic import Field

from flows.asking import SignOff, until_accepted
from runtime.words import Words
from tasks.paper_exceptions import end_exception, enter_exception, exceptions_table


class PaperExceptionEntry(SignOff):
    """The start form."""

    certificate_type: Words = Field(title="证照类型", description="目录中的名称或类型代码", min_length=1, max_length=60)
    item_code: Words = Field("", title="事项", description="编码或名称；留空为全部事项", max_length=60)
    citation: Words = Field(title="法律、法规依据", description="名称和条款", min_length=4, max_length=300)
    from_on: date = Field(title="生效日期")
    until_on: date | None = Field(None, title="失效日期（含）", description="留空为长期")


class PaperExceptionEnd(SignOff):
    """The start form of an end."""

    number: int = Field(title="序号", description="见工件“法定纸质例外”", ge=1)
    last_on: date = Field(title="最后一日")


@flow(name="登记法定纸质例外", persist_result=False)
def paper_exception(entry: PaperExceptionEntry) -> None:
    """第七条：电子证照与纸质证照具有同等法律效力，法律、法规另有规定的除外。登记要求纸质证照的规定；用证接口据此答复窗口。

    Args:
        entry: 例外
    """
    until_accepted(
        entry,
        lambda form, by: enter_exception(
            form.certificate_type,
            form.item_code,
            form.citation,
            form.from_on,
            form.until_on,
            by,
        ),
    )
    _show()


@flow(name="终止法定纸质例外", persist_result=False)
def paper_exception_end(end: PaperExceptionEnd) -> None:
    """登记一项法定纸质例外的失效日期。

    Args:
        end: 终止
    """
    until_accepted(end, lambda form, by: end_exception(form.number, form.last_on, by))
    _show()


def _show() -> None:
    table = f"## 法定纸质例外（第七条）\n\n{exceptions_table()}"
    create_markdown_artifact(table, key="paper-exceptions", description="法定纸质例外")
