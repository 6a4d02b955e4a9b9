"""Nothing is lost with a run: every open case gets a live one again."""

from prefect import flow

from runtime import clock
from tasks.case_runs import end_unsigned, prefect, recover, rerun_registrations


@flow(name="办件恢复", persist_result=False)
def case_recovery() -> str:
    """为没有在运行的在办办件重新发起流程，唤醒已有答复的办件，更新“待办”和“在办办件”。系统启动时和每5分钟自动运行。"""
    with prefect() as client:
        recovered = recover(client, clock.now())
        registrations = rerun_registrations(client, clock.now())
        unsigned = end_unsigned(client, clock.now())
    cases = f"重新发起{len(recovered.started)}件，唤醒{len(recovered.woken)}件"
    return f"{cases}，重做登记{registrations}件，结束未签名的登记{unsigned}件"
