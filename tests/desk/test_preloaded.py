"""What is done once, before legs are forked, leaves the installation alone."""

import os
import subprocess
import sys
from typing import Any

from tests.conftest import ROOT

ASK = """
from ezt.engine.preloaded import ask_about_nothing
from runtime.database import reading
with reading() as session:
    print(ask_about_nothing(session))
"""


def test_questions_are_compiled_without_reading_anybodys_case(clerk: Any) -> None:
    clerk.register().accept()
    away = {"PREFECT_API_URL": "http://127.0.0.1:9/api"}
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, env=os.environ | away, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
