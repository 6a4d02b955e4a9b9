"""The desk: where the Center's staff see what waits, read a case and decide on it (``/desk``). What it shows and takes
stands in ``tasks/desk``; nothing of it passes through Prefect."""
