"""Notices leave the outbox."""

from prefect import flow

from tasks.notices import send_notices


@flow(name="发送通知", persist_result=False)
def notice_dispatch() -> str:
    """发送待发的通知邮件，每分钟自动运行。"""
    return send_notices()
