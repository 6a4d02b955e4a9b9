"""The process that ``viewflow_requests`` plays: in a module of its own, because viewflow stores its address."""

from django.urls import path
from viewflow import this
from viewflow.workflow import flow
from viewflow.workflow.flow.views import CreateProcessView, UpdateProcessView
from viewflow.workflow.models import Process

from .player import STEPS

FIRST, *OTHERS = STEPS


def _tasks() -> dict[str, object]:
    """The first step starts the process; each next one is a form of whoever did."""
    nodes: dict[str, object] = {FIRST: flow.Start(CreateProcessView.as_view(fields=[])).Next(getattr(this, OTHERS[0]))}
    for step, following in zip(OTHERS, [*OTHERS[1:], "end"], strict=True):
        form = flow.View(UpdateProcessView.as_view(fields=[]))
        nodes[step] = form.Assign(getattr(this, FIRST).owner).Next(getattr(this, following))
    return nodes | {"end": flow.End()}


Objection = type(flow.Flow)("Objection", (flow.Flow,), {"__module__": __name__, "process_class": Process, **_tasks()})
urlpatterns = [path("", flow.FlowViewset(Objection).urls)]
