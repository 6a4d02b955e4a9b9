"""A page that shows every sample notice as its readers see it: on a phone, on a desktop, and as plain text."""

from collections import Counter
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ezt.samples.notices import EXAMPLES, GROUPS, RECEIVED_ON, Example
from notifications.messages import message
from notifications.outbox import message_id_of
from notifications.rendering import article_name, render
from runtime.clock import SHANGHAI
from runtime.settings import settings

READER = "reader@example.cn"


def write(folder: Path) -> tuple[Path, int]:
    """Write the page and, for mail programs, each letter as an ``.eml``; the page and how many letters."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["article_name"] = article_name
    names = file_names(EXAMPLES)
    at = datetime(RECEIVED_ON.year, RECEIVED_ON.month, RECEIVED_ON.day, 9, tzinfo=SHANGHAI)
    for name, example in zip(names, EXAMPLES, strict=True):
        mail = message(example.notice, READER, message_id_of(name, READER), at)
        (folder / f"{name}.eml").write_bytes(mail)
    left = iter(names)
    groups = [
        (group, [(next(left), example, render(example.notice)) for example in group.examples]) for group in GROUPS
    ]
    page = folder / "index.html"
    given = settings()
    missing = [
        name
        for name, value in {
            "EZT_CONTACT_PHONE": given.contact_phone,
            "EZT_CONTACT_ADDRESS": given.contact_address,
        }.items()
        if not value
    ]
    page.write_text(
        environment.get_template("notice-preview.html").render(groups=groups, letters=len(names), missing=missing),
        encoding="utf-8",
    )
    return page, len(names)


def file_names(examples: tuple[Example, ...]) -> list[str]:
    """A name for each example: its notice's, numbered where there are several.

    >>> file_names(EXAMPLES)[:3]
    ['objection-registered-1', 'objection-registered-2', 'objection-joined-1']
    """
    seen: Counter[str] = Counter()
    names = []
    for example in examples:
        kind = example.notice.template()
        seen[kind] += 1
        names.append(f"{kind}-{seen[kind]}")
    return names
