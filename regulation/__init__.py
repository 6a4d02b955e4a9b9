"""The measures as code: pure rules, no input or output, no clock. Dates come in as arguments.

A file a noun. Every number stands in ``limits``, days are counted in ``working_days``, and ``articles`` says of each
of the 19 articles what carries it out.
"""
