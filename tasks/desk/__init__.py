"""What staff see of all cases together: the sheet of a case, the lists of the day, deadlines, and each case's run
in Prefect.

It stands over all nouns and asks them for their ``kind``; what a step of a case does is never here.
"""
