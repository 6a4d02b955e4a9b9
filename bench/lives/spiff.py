"""Eight tasks, two of them after a wait, as a BPMN process of SpiffWorkflow whose serialised state is kept in SQLite
after each: ``python -m bench.lives.spiff HOME URL``. Resumed from there after each wait, as another process would."""

import sqlite3
import sys
from itertools import pairwise
from pathlib import Path

from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from .player import STEPS, WAITS, perform

NODES = ["begin", *STEPS, "end"]
PROCESS = f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="definitions" targetNamespace="bench">
<process id="objection" isExecutable="true">
<startEvent id="begin"/>
{"".join(f'<manualTask id="{step}" name="{step}"/>' for step in STEPS)}
<endEvent id="end"/>
{"".join(f'<sequenceFlow id="to_{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in pairwise(NODES))}
</process></definitions>"""


class Lives:
    def __init__(self, home: str) -> None:
        parser = BpmnParser()
        parser.add_bpmn_str(PROCESS.encode())
        self._spec = parser.get_spec("objection")
        self._serializer = BpmnWorkflowSerializer()
        self._database = sqlite3.connect(Path(home) / "spiff.db", isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute("CREATE TABLE IF NOT EXISTS workflows (id INTEGER PRIMARY KEY, state TEXT)")

    def play(self) -> None:
        workflow = BpmnWorkflow(self._spec)
        workflow.do_engine_steps()
        state = self._serializer.serialize_json(workflow)
        number = self._database.execute("INSERT INTO workflows (state) VALUES (?)", (state,)).lastrowid
        for step in STEPS:
            if step in WAITS:
                (state,) = self._database.execute("SELECT state FROM workflows WHERE id = ?", (number,)).fetchone()
                workflow = self._serializer.deserialize_json(state)
            task = workflow.get_next_task(state=TaskState.READY, manual=True)
            assert task.task_spec.name == step
            task.data[step] = "done"
            task.run()
            workflow.do_engine_steps()
            state = self._serializer.serialize_json(workflow)
            self._database.execute("UPDATE workflows SET state = ? WHERE id = ?", (state, number))
        assert workflow.completed


if __name__ == "__main__":
    perform(Lives(sys.argv[1]).play)
