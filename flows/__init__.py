"""The stories: the order of steps and waits, as the measures tell it, a file a noun.

What repeats in all of them is ``story`` (how a case's run begins and ends), ``asking`` (waiting for staff) and
``registration`` (start forms). What a step does is in the room of the same noun in ``tasks``; when a story begins,
``prefect.yaml`` says.
"""
