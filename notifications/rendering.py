"""From a typed notice to the text of a letter, plain and HTML."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from notifications.notices import Notice, one_line
from regulation.working_days import WEEKDAYS
from runtime.settings import settings

SENDER_NAME = "绍兴市柯桥区大数据发展管理中心"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A notice as text: one line of subject, plain text, and HTML."""

    subject: str
    text: str
    html: str


def full_date(day: date) -> str:
    """A date as letters write it.

    >>> full_date(date(2026, 3, 2))
    '2026年3月2日'
    """
    return f"{day.year}年{day.month}月{day.day}日"


def with_weekday(day: date) -> str:
    """A date with its weekday, for what somebody has to keep in mind.

    >>> with_weekday(date(2026, 3, 2))
    '2026年3月2日（星期一）'
    """
    return f"{full_date(day)}（星期{WEEKDAYS[day.weekday()]}）"


def adoption(adopted: bool, ours: bool = False) -> str:
    """Whether what was found right is what somebody claimed (Article 12), as they are told. ``ours``: the Center found
    so, and the bureau something else, which nobody may read as what the bureau has verified.

    What a field says now is told to whoever claimed it. To others it is its holder's to show: nobody had to prove who
    they are in order to object.

    >>> adoption(True), adoption(True, ours=True)
    ('核实认定的内容与您主张的一致。', '本中心认定的内容与上级核实的不同，与您主张的一致。')
    """
    found = "本中心认定的内容与上级核实的不同，" if ours else "核实认定的内容"
    if adopted:
        return f"{found}与您主张的一致。"
    return (
        f"{found}{'也' if ours else ''}与您主张的不同。现在的内容，持证主体请用“浙里办”登录后查看，"
        "使用部门请通过用证接口查阅，其他人请持证主体出示。"
    )


def article_name(number: int) -> str:
    """An article of the measures as a letter cites it; they have nineteen.

    >>> article_name(8), article_name(10), article_name(17)
    ('第八条', '第十条', '第十七条')
    """
    tens, ones = divmod(number, 10)
    return f"第{'十' * tens}{'一二三四五六七八九'[ones - 1] if ones else ''}条"


def you_or(recipient: str, department: str) -> str:
    """A department in a letter to its office, and in one to anybody else.

    >>> you_or("区民政局", "区民政局"), you_or("钱*", "区民政局")
    ('你单位', '区民政局')
    """
    return "你单位" if recipient == department else department


def whom_to_ask() -> str:
    """The sentence that says whom a reader can ask, with what is set of telephone and address."""
    known = {"电话": settings().contact_phone, "地址": settings().contact_address}
    return f"如有疑问，请联系{SENDER_NAME}{''.join(f'，{name}：{value}' for name, value in known.items() if value)}。"


@cache
def _environment() -> Environment:
    """Only HTML is escaped; a value that the notice has not is an error, not a gap in a letter."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        # The templates are as installed; they are not looked at again for every letter.
        auto_reload=False,
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"], default=False),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {each.__name__: each for each in (full_date, with_weekday, article_name, adoption, you_or)}
    return environment


def load_templates() -> None:
    """Read every template, which otherwise is read when it is first used."""
    for name in _environment().list_templates():
        _environment().get_template(name)


def render(notice: Notice, *, on_paper: bool = False, on_page: bool = False) -> Rendered:
    """The notice in its three forms; ``on_paper``, its text is posted as a letter; ``on_page``, it is read again on a
    page, however it had come.

    Raises ``jinja2.TemplateError`` for a template that is broken or asks for what the notice has not.
    """
    context = {"center": SENDER_NAME, "ask": whom_to_ask(), "on_paper": on_paper, "on_page": on_page} | {
        name: getattr(notice, name) for name in type(notice).model_fields
    }
    subject, text, html = (
        _environment().get_template(f"{notice.template()}/{part}").render(context)
        for part in ("subject.txt", "body.txt", "body.html")
    )
    # Parts that are left out, or that end a line themselves, must not tear a letter apart.
    text = re.sub(r"\n{3,}", "\n\n", text.strip())
    return Rendered(one_line(subject), text + "\n", html.strip() + "\n")
