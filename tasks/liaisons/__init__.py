"""Liaison officers (专人, Article 13): a department files that somebody is designated, takes over (变更) or ends, staff
confirm it, and departments without anybody are reminded.

What is filed stands in ``filings``; how long whom a hand-over replaces stays on file is ``regulation.liaisons``.
Who of a department is written to is asked in many rooms and therefore stands in ``tasks.office.recipients``;
handing a case to another officer is ``tasks.case.hand_over``.
"""
