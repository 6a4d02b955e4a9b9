"""Liaison officers (专人, Article 13): what departments file, what staff confirm, whom departments are reminded of.

Who of a department is written to is asked in many rooms and therefore stands in ``tasks.office.recipients``.
"""
