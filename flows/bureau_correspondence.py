"""Correspondence with the superior bureaus (Article 12): what could not be sent before, and replies nobody pushed."""

from prefect import flow

from tasks.case_runs import prefect, wake
from tasks.verifications import correspond


@flow(name="上级往来", persist_result=False)
def bureau_correspondence() -> str:
    """补发未能送达省、市大数据局的核实需求，并查询核实结果，每2分钟自动运行。"""
    news = correspond()
    with prefect() as client:
        for case_no in news:
            wake(client, case_no)
    return f"有进展的办件{len(news)}件"
