"""Everything that reaches into Prefect's insides: its server as we start it, the worker and its legs, what is
deployed.

Stories are ``flows``; each case's run, by Prefect's public client, is ``tasks.desk.runs``. The system as a whole is
started by ``ezt.up``.
"""
