"""The HTTP edge: what departments' systems, applicants and bureaus call."""
