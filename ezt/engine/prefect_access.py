"""The password of Prefect's API in a process that is Prefect's own: its server, a worker."""

import os
import sys

from prefect.context import refresh_global_settings_context

from runtime.refusals import RefusalError
from runtime.settings import prefect_access


def name_password() -> None:
    """Let Prefect in this process, and in those that it starts, ask for the password and name it. Where there is none
    the process ends with a line that says so."""
    try:
        os.environ |= prefect_access()
    except RefusalError as refusal:
        sys.exit(str(refusal))
    # It has read its settings when it was imported.
    refresh_global_settings_context()
