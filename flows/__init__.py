"""The stories: the order of steps and waits, as the measures tell it, a file a noun.

What repeats in all of them is ``story`` (how a case's run begins and ends) and ``asking`` (waiting for staff);
``entries`` opens from Prefect what staff start at the desk. What a step does is in the room of the same noun in
``tasks``; when a story begins, ``prefect.yaml`` says.
"""
