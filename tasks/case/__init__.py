"""What every case has, whatever its kind: its number and officer, deadlines, durable steps, questions and answers,
files, mail.

A story's step is made durable by ``step``, a question is declared by ``questions`` and answered through
``answers``; how departments answer by link or from a system of their own is ``department_links`` and
``department_answers``. What a kind of case does stands in the room of its noun; its run in Prefect and the lists
it appears in are ``tasks.desk``.
"""
