"""The record is sealed (Article 14)."""

from prefect import flow

from runtime import clock
from tasks.records import seal_record


@flow(name="封存日志", persist_result=False)
def record_sealing() -> str:
    """第十四条：把新的日志封存成块，使任何改动、删除、插入和调换都能被发现。每分钟自动运行。"""
    return f"封存{seal_record(clock.now())}条"
