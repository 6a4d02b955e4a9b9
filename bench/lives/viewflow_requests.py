"""Eight tasks as a django-viewflow process, each a request through Django's test client:
``python -m bench.lives.viewflow_requests HOME URL``. Every task is a person's, so none waits in between."""

import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.management import call_command

from .player import STEPS, perform

PLACE = Path(sys.argv[1]) / "viewflow.db"
SERVER = urlsplit(sys.argv[2])
SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": PLACE,
    "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL", "transaction_mode": "IMMEDIATE"},
}
POSTGRESQL = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": SERVER.path.lstrip("/"),
    "USER": SERVER.username,
    "HOST": SERVER.hostname,
    "PORT": SERVER.port,
    # Django's default would open a connection a request.
    "CONN_MAX_AGE": None,
}
settings.configure(
    ROOT_URLCONF="bench.lives.viewflow_process",
    SECRET_KEY=secrets.token_hex(),
    ALLOWED_HOSTS=["testserver"],
    USE_TZ=True,
    DATABASES={"default": SQLITE if SERVER.scheme == "sqlite" else POSTGRESQL},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "viewflow",
        "viewflow.workflow",
        "bench.lives",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.test import Client  # noqa: E402
from viewflow.workflow import STATUS  # noqa: E402
from viewflow.workflow.models import Process, Task  # noqa: E402


class Lives:
    def __init__(self) -> None:
        call_command("migrate", verbosity=0)
        self._client = Client()
        self._client.force_login(User.objects.create_superuser("officer"))

    def play(self) -> None:
        self._post(f"/{STEPS[0]}/")
        process = Process.objects.latest("id")
        for step in STEPS[1:]:
            task = Task.objects.get(process=process, status=STATUS.ASSIGNED)
            self._post(f"/{process.pk}/{step}/{task.pk}/execute/")
        process.refresh_from_db()
        assert process.status == STATUS.DONE

    def _post(self, address: str) -> None:
        answer = self._client.post(address, {})
        assert answer.status_code == 302, (address, answer.status_code)


if __name__ == "__main__":
    perform(Lives().play)
