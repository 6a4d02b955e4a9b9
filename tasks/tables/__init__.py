"""Tables that people send, read row by row by a process with limits; and the search for their row of headings.

What the columns mean is said by the room that asked for the table.
"""
