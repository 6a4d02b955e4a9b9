"""The measures as code: pure rules, no input or output, no clock. Dates come in as arguments."""
