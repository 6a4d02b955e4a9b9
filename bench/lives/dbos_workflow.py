"""Eight steps and two waits as a DBOS workflow: ``python -m bench.lives.dbos_workflow HOME URL``."""

import sys

from dbos import DBOS

from .player import STEPS, WAITS, perform

URL = sys.argv[2]
# 30 threads wait for messages as well as work; the program's own pages do not report anywhere either.
DBOS(config={"name": "bench", "system_database_url": URL, "log_level": "ERROR", "enable_otlp": False})


@DBOS.step()
def carry_out(step: str) -> dict[str, str]:
    return {"step": step}


@DBOS.workflow()
def objection() -> None:
    for step in STEPS:
        if step in WAITS:
            DBOS.recv(WAITS[step])
        carry_out(step)


def play() -> None:
    handle = DBOS.start_workflow(objection)
    for topic in WAITS.values():
        DBOS.send(handle.get_workflow_id(), {"verdict": "yes"}, topic)
    handle.get_result(polling_interval_sec=0.01)


if __name__ == "__main__":
    DBOS.launch()
    perform(play)
    DBOS.destroy()
