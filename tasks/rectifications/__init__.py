"""Findings of supervision and their rectification (督促整改, Article 17): opened, answered by the department, looked
at, closed.

What finds something is ``tasks.supervision`` and ``tasks.spot_checks``; which findings there are,
``regulation.finding_rules``.
"""
