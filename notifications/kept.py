"""What a notice says that was queued once, for whoever reads it again: on a page, or on paper."""

from models.notices import OutgoingNotice
from notifications.notices import NOTICES
from notifications.rendering import render
from runtime.settings import settings

GONE = "（这封通知的内容现在无法显示，收件人收到的以邮件为准。）"
LEFT_OUT = "（收件人专用的链接，这里不显示）"


def said_in(
    notice: OutgoingNotice, left_out: str = LEFT_OUT, *, on_paper: bool = False, on_page: bool = False
) -> tuple[str, str]:
    """Subject and text of a notice, as an e-mail, on paper, or on a page. Links that open the recipient's own pages are
    nobody else's: what stands there instead."""
    kind = NOTICES.get(notice.notice)
    try:
        if kind is None:
            return notice.notice, GONE
        rendered = render(kind.model_validate(notice.context), on_paper=on_paper, on_page=on_page)
    except Exception:
        # A notice of an earlier version, which this one's templates cannot say any more, hides no case.
        return notice.notice, GONE
    text = rendered.text
    for value in notice.context.values():
        if isinstance(value, str) and value.startswith(f"{settings().public_url}/"):
            text = text.replace(value, left_out)
    return rendered.subject, text
