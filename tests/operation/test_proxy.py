"""The guide's nginx, as printed, before the web process, the desk in it, and Prefect."""

import json
import re
import secrets
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trustme
from websockets.sync.client import connect

from ezt import children
from ezt.samples import data as sample_data
from ezt.up import free_port
from models.organisations import Application
from runtime.database import transaction
from runtime.signing import KEY, NONCE, SIGNATURE, TIME, sign
from tests.conftest import PASSWORD, ROOT, accepts_connections, wait_until

WEB, DESK, PREFECT = "ezt.kq.example.cn", "desk.kq.example.cn", "prefect.kq.example.cn"


@dataclass
class Proxy:
    """A running nginx: its port, and whose certificates are trusted."""

    port: int
    trusted: ssl.SSLContext

    def request(self, host: str, method: str, path: str, **more: object) -> httpx.Response:
        with httpx.Client(verify=self.trusted) as client:
            headers = {"Host": host, **more.pop("headers", {})}  # type: ignore[dict-item]
            url = f"https://127.0.0.1:{self.port}{path}"
            return client.request(method, url, headers=headers, extensions={"sni_hostname": host}, **more)  # type: ignore[arg-type]


@pytest.fixture
def proxy(tmp_path: Path, web: str, shared_prefect: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Proxy]:
    guide = (ROOT / "docs" / "operator-guide.zh-CN.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"^```nginx\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    authority = trustme.CA()
    certificate = authority.issue_cert(WEB, DESK, PREFECT)
    certificate.private_key_pem.write_to_path(tmp_path / "privkey.pem")
    for part in certificate.cert_chain_pems:
        part.write_to_path(tmp_path / "fullchain.pem", append=True)
    port, prefect = free_port(), shared_prefect["PREFECT_API_URL"].removesuffix("/api")
    here = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/ezt/": f"{tmp_path}/",
        "http://127.0.0.1:4202": web,
        "http://127.0.0.1:4200": prefect,
        "allow 10.12.0.0/16": f"allow {getattr(request, 'param', '10.12.0.0/16')}",
    }
    for there, instead in here.items():
        assert there in printed
        printed = printed.replace(there, instead)
    folders = "".join(
        f"{name}_temp_path {tmp_path}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}}\n"
        f"http {{ access_log off; {folders}\n{printed} }}\n",
        encoding="utf-8",
    )
    command = ["/usr/sbin/nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-g", "daemon off;"]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    # Its own processes end when it ends them.
    with children.start(command, at_my_end=signal.SIGTERM) as process:
        wait_until(lambda: accepts_connections(port), "nginx没有启动")
        trusted = ssl.create_default_context()
        authority.configure_trust(trusted)
        yield Proxy(port, trusted)
        process.terminate()


def test_signatures_forms_and_addresses_hold_behind_it(proxy: Proxy) -> None:
    key = next(name for name, kind, _ in sample_data.APPLICATIONS if kind == "department")
    secret = sample_data.application_secret(sample_data.DEFAULT_SEED, key)
    path, body = "/api/v1/objections", json.dumps({}).encode()

    def call() -> httpx.Response:
        now, nonce = int(time.time() * 1000), secrets.token_hex(8)
        signed = {KEY: key, TIME: str(now), NONCE: nonce, SIGNATURE: sign(secret, "POST", path, now, nonce, body)}
        # As somebody who would like to be taken for a computer of the government's network.
        return proxy.request(WEB, "POST", path, content=body, headers=signed | {"X-Forwarded-For": "10.1.2.3"})

    # The signature is right, what it signs is no objection.
    assert call().status_code == 422
    with transaction() as session:
        session.get_one(Application, key).networks = ["10.0.0.0/8"]
    wait_until(lambda: call().status_code == 403, "没有按来源地址拒绝", 5)

    page = proxy.request(WEB, "GET", "/")
    assert (page.status_code, "电子证照" in page.text) == (200, True)
    given = {"verification": "x"}
    elsewhere = proxy.request(WEB, "POST", "/copies", data=given, headers={"Origin": "https://elsewhere.example"})
    own = proxy.request(WEB, "POST", "/copies", data=given, headers={"Origin": f"https://{WEB}"})
    assert (elsewhere.status_code, own.status_code) == (403, 422)


def test_the_public_address_does_not_have_the_desk(proxy: Proxy) -> None:
    for path in (
        "/desk",
        "/desk/",
        "/desk/sign-in",
        "//desk/sign-in",
        "/x/../desk",
        "/%64esk",
        "/desk/cases/YY-2026-000001",
    ):
        answer = proxy.request(WEB, "GET", path)
        assert (answer.status_code, "登录工作台" in answer.text) == (404, False), path
    assert proxy.request(WEB, "POST", "/desk/sign-in", data={"staff_no": "KQ004"}).status_code == 404


@pytest.mark.parametrize("proxy", ["127.0.0.0/8"], indirect=True)
def test_the_desk_is_reached_from_the_centers_network_and_nothing_else_of_the_pages(
    proxy: Proxy, configure: Callable[..., None]
) -> None:
    configure(EZT_DESK_URL=f"https://{DESK}", EZT_DESK_NETWORKS='["127.0.0.0/8"]')
    assert proxy.request(DESK, "GET", "/").headers["location"].endswith("/desk")
    page = proxy.request(DESK, "GET", "/desk/sign-in")
    assert (page.status_code, "登录工作台" in page.text) == (200, True)
    for linked in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
        assert proxy.request(DESK, "GET", linked).status_code == 200
    given = {"data": {"staff_no": "KQ004"}, "headers": {"Origin": f"https://{DESK}"}}
    signed_in = proxy.request(DESK, "POST", "/desk/sign-in", **given)
    assert (signed_in.status_code, signed_in.headers["set-cookie"].split("=")[0]) == (303, "__Host-ezt-desk")
    assert proxy.request(DESK, "GET", "/objections/new").status_code == 404
    configure(EZT_DESK_NETWORKS='["10.12.0.0/16"]')
    assert proxy.request(DESK, "GET", "/desk/sign-in").status_code == 404


@pytest.mark.parametrize("proxy", ["127.0.0.0/8"], indirect=True)
def test_prefect_is_reached_from_the_centers_network_with_its_events(proxy: Proxy) -> None:
    assert proxy.request(PREFECT, "GET", "/api/health").json() is True
    assert "Content-Security-Policy" in proxy.request(PREFECT, "GET", "/dashboard").headers
    there = socket.create_connection(("127.0.0.1", proxy.port))
    way = {"sock": there, "ssl": proxy.trusted, "subprotocols": ["prefect"], "open_timeout": 60}
    with connect(f"wss://{PREFECT}/api/events/out", **way) as events:
        events.send(json.dumps({"type": "auth", "token": PASSWORD}))
        assert json.loads(events.recv(timeout=10))["type"] == "auth_success"


def test_neither_is_reached_from_elsewhere(proxy: Proxy) -> None:
    assert proxy.request(DESK, "GET", "/desk/sign-in").status_code == 403
    assert proxy.request(PREFECT, "GET", "/api/health").status_code == 403
