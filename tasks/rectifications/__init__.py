"""Findings of supervision and their rectification (督促整改, Article 17): opened, answered by the department, looked
at, closed.

What finds something is ``tasks.supervision``, ``tasks.spot_checks`` and ``tasks.system_reviews``; whether its cause is
gone, ``tasks.supervision.rechecks``; which findings there are, ``regulation.finding_rules``.
"""
