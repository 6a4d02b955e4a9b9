"""``ezt doctor``: each check against the real thing, in order and out of order."""

import json
import os
import re
import socket
import ssl
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from alembic import command
from fastapi import FastAPI
from prefect.states import Failed
from sqlalchemy import select

from ezt import doctor
from ezt.doctor import Finding, Look, Standing, examine, look_at, schedules, worker
from ezt.engine.deployments import stories
from ezt.up import free_port
from gateways import zhejiang_gateway, zheliban, zheliban_stand_in, zhezhengding, zhezhengding_stand_in
from gateways.loopback import serving as serving_app
from gateways.stand_in import StandIn
from models.cases import StaffTask
from models.liaisons import LiaisonOfficer
from models.migrations import alembic_config, migrate, revisions
from models.notices import NoticeState, OutgoingNotice
from models.organisations import Department, Officer
from notifications.outbox import queue
from regulation.objections import Bureau
from runtime import clock
from runtime.database import engine, transaction
from tasks.audit import record
from tasks.keeping.records import seal_record
from tests.certificates.test_copy_documents import certificate_files
from tests.command_line.conftest import ezt
from tests.conftest import WorkedDesk, forget_settings, wait_until
from tests.notices.conftest import a_notice, serving
from web.app import app

Configure = Callable[..., None]


def one(look: Look) -> Finding:
    """The one finding of a check, which says in Chinese what to do whenever there is something to do."""
    (finding,) = look_at({"检查": look})
    assert "没有完成" not in finding.what
    if finding.standing is not Standing.OK:
        assert any(word in finding.line() for word in ("请", "须", "正式使用前"))
    return finding


def standing(look: Look) -> Standing:
    return one(look).standing


def files_in(home: Path) -> list[str]:
    """What lies in a data folder, but for what SQLite keeps beside its file while it is open."""
    return sorted(path.name for path in home.iterdir() if path.name not in {"ezt.db-wal", "ezt.db-shm"})


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Let the clock show a later time."""
    real = clock.now

    def move(by: timedelta) -> None:
        monkeypatch.setattr(clock, "now", lambda: real() + by)

    return move


class TestAllChecks:
    def test_a_fresh_installation_is_told_line_by_line_and_exit_code_1(self, installation: Path) -> None:
        ports = {"EZT_PREFECT_PORT": str(free_port()), "EZT_WEB_PORT": str(free_port())}
        installation.chmod(0o700)
        before = files_in(installation)
        done = ezt("doctor", **ports)
        assert (done.returncode, done.stderr) == (1, "")
        lines = done.stdout.splitlines()
        assert {line[:2] for line in lines} == {"正常", "注意", "错误"}
        assert sum(line.startswith("错误") for line in lines) == 2, done.stdout
        assert any(line.startswith("错误  Prefect") and "ezt-prefect" in line for line in lines)
        assert any(line.startswith("错误  网页") and "ezt-web" in line for line in lines)
        assert any(line.startswith("正常  数据库  SQLite") for line in lines)
        # Looking makes nothing, not even the trial certificate that a first copy would.
        assert files_in(installation) == before
        found = json.loads(ezt("doctor", "--json", **ports).stdout)
        assert {tuple(each) for each in found} == {("about", "standing", "what", "todo")}
        assert len(found) == len(lines)

    def test_without_a_database_what_rests_on_it_is_named_and_left_out(self, home: Path) -> None:
        found = {finding.about: finding for finding in examine()}
        assert found["数据库"].standing is Standing.ERROR
        assert "ezt migrate" in found["数据库"].todo
        assert all(about in found["未检查"].what for about in doctor.ON_DATABASE)
        assert not (home / "ezt.db").exists()

    def test_wrong_settings_are_a_finding(self, home: Path, configure: Configure) -> None:
        configure(EZT_WEB_PORT="nine")
        (finding,) = examine()
        assert finding.standing is Standing.ERROR
        assert "EZT_WEB_PORT" in finding.what
        done = ezt("doctor")
        assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (1, "", 1)

    def test_a_check_that_hangs_or_breaks_is_a_finding(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doctor, "LOOK_WITHIN", 0.3)
        never = threading.Event()

        def hang() -> Iterator[Finding]:
            never.wait()
            yield Finding("慢", Standing.OK, "")

        def fall() -> Iterator[Finding]:
            raise ZeroDivisionError
            yield

        started = time.monotonic()
        slow, broken, sound = look_at({"慢": hang, "坏": fall, "Python": doctor.python})
        assert time.monotonic() - started < 3
        never.set()
        assert (slow.about, slow.standing) == ("慢", Standing.ERROR)
        assert "没有结果" in slow.what
        assert broken.what == "检查没有完成（ZeroDivisionError）"
        assert sound.standing is Standing.OK


class TestThisMachine:
    def test_settings_that_nothing_reads_are_named(
        self, home: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ezt_contact_phone", "0575-84120000")
        monkeypatch.setenv("EZT_CITY_GATEWAY", '{"url": "https://city.example.cn"}')
        configure(EZT_CITY_GATEWAY__APP_KEY="k", EZT_REPORT_TO='["qu@example.cn"]', EZTRA="no setting of ours")
        assert standing(doctor.setting_names) is Standing.OK
        with (home / "ezt.env").open("a", encoding="utf-8") as file:
            file.write("EZT_DESK_PORT=4300\nexport EZT_SMPT_HOST=secret.example.cn\n")
        configure(EZT_CITY_GATEWAY__APPKEY="secret", EZT_SUPPER="secret")
        found = {finding.what: finding for finding in look_at({"设置名称": doctor.setting_names})}
        assert {what: finding.standing for what, finding in found.items()} == {
            "EZT_CITY_GATEWAY__APPKEY不是本系统的设置，没有起作用": Standing.NOTE,
            "EZT_DESK_PORT现在叫EZT_PREFECT_PORT，原来的名称不再起作用": Standing.ERROR,
            "EZT_SMPT_HOST不是本系统的设置，没有起作用": Standing.NOTE,
            "EZT_SUPPER不是本系统的设置，没有起作用": Standing.NOTE,
        }
        todo = {what.partition("不是")[0]: finding.todo for what, finding in found.items()}
        assert "EZT_CITY_GATEWAY__APP_KEY" in todo["EZT_CITY_GATEWAY__APPKEY"]
        assert "EZT_SMTP_HOST" in todo["EZT_SMPT_HOST"]
        assert "请" in todo["EZT_SUPPER"]
        assert not any("secret" in finding.line() for finding in found.values())

    def test_a_package_that_silences_the_schedules_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert standing(doctor.python) is Standing.OK
        monkeypatch.setattr(doctor, "version", lambda name: "2.1.9" if name == "sqlalchemy" else "99")
        assert "sqlalchemy（2.1.9，应" in one(doctor.python).what

    def test_the_data_folder_is_there_and_nobody_elses(self, home: Path) -> None:
        assert standing(doctor.data_folder) is Standing.ERROR
        migrate()
        home.chmod(0o700)
        assert standing(doctor.data_folder) is Standing.OK
        home.chmod(0o755)
        assert f"chmod 700 {home}" in one(doctor.data_folder).todo

    def test_disk_and_memory_are_measured(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for look, low, short in (
            (doctor.disk, "DISK_LOW", "DISK_SHORT"),
            (doctor.memory, "MEMORY_LOW", "MEMORY_SHORT"),
        ):
            monkeypatch.setattr(doctor, low, 1)
            assert standing(look) is Standing.OK
            monkeypatch.setattr(doctor, low, 2**60)
            monkeypatch.setattr(doctor, short, 1)
            assert standing(look) is Standing.NOTE
            monkeypatch.setattr(doctor, short, 2**60)
            assert standing(look) is Standing.ERROR

    def test_another_zone_is_remarked_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        try:
            for name, expected in (("Asia/Shanghai", Standing.OK), ("Europe/Berlin", Standing.NOTE)):
                monkeypatch.setenv("TZ", name)
                time.tzset()
                assert standing(doctor.zone) is expected
        finally:
            monkeypatch.undo()
            time.tzset()

    def test_keys_are_there_and_kept_from_others(self, home: Path, configure: Configure) -> None:
        assert standing(doctor.key_files) is Standing.OK
        (home / "ezt.env").chmod(0o640)
        assert f"chmod 600 {home / 'ezt.env'}" in one(doctor.key_files).todo
        configure(EZT_SEAL_KEYS="no-key")
        assert "EZT_SEAL_KEYS" in one(doctor.key_files).what
        configure(EZT_DATA_KEYS="no-key")
        assert "EZT_DATA_KEYS" in one(doctor.key_files).what

    def test_the_signing_certificate_tells_its_end(self, home: Path, tmp_path: Path, configure: Configure) -> None:
        assert "试用" in one(doctor.copy_certificate).what
        assert not (home / "copy-authority").exists()
        for name, days, expected in (
            ("long", 400, Standing.OK),
            ("soon", 50, Standing.NOTE),
            ("over", 20, Standing.ERROR),
        ):
            key, chain = certificate_files(tmp_path / name, first=clock.now() - timedelta(days=30), days=days)
            configure(EZT_COPY_KEY_FILE=key, EZT_COPY_CHAIN_FILE=chain)
            assert standing(doctor.copy_certificate) is expected
        configure(EZT_COPY_CHAIN_FILE="")
        assert "须同时设置" in one(doctor.copy_certificate).what

    @pytest.mark.parametrize(
        ("public", "desk", "smtp", "expected"),
        [
            ("http://127.0.0.1:4202", "http://127.0.0.1:4200", "", Standing.NOTE),
            ("http://127.0.0.1:4202", "https://desk.kq.example.cn", "mail.example.cn", Standing.ERROR),
            ("https://ezt.kq.example.cn", "http://localhost:4200", "mail.example.cn", Standing.ERROR),
            ("http://127.0.0.1:4202", "http://[::1]:4200", "127.0.0.1", Standing.NOTE),
            ("http://ezt.kq.example.cn", "https://desk.kq.example.cn", "mail.example.cn", Standing.NOTE),
            ("https://ezt.kq.example.cn", "https://desk.kq.example.cn", "mail.example.cn", Standing.OK),
        ],
    )
    def test_links_lead_somewhere_for_who_gets_them(
        self, public: str, desk: str, smtp: str, expected: Standing, home: Path, configure: Configure
    ) -> None:
        configure(EZT_PUBLIC_URL=public, EZT_PREFECT_URL=desk, EZT_SMTP_HOST=smtp)
        assert standing(doctor.public_address) is expected

    def test_notices_say_whom_to_ask(self, home: Path, configure: Configure) -> None:
        assert {"EZT_CONTACT_PHONE", "EZT_CONTACT_ADDRESS"} <= set(re.findall("EZT_[A-Z_]+", one(doctor.contact).what))
        configure(EZT_CONTACT_PHONE="0575-84120000", EZT_CONTACT_ADDRESS=" ")
        found = one(doctor.contact)
        assert (found.standing, "PHONE" in found.what, "ADDRESS" in found.what) == (Standing.NOTE, False, True)
        configure(EZT_CONTACT_ADDRESS="绍兴市柯桥区某路1号")
        assert standing(doctor.contact) is Standing.OK

    def test_codes_that_are_off_are_for_a_trial_only(self, home: Path, configure: Configure) -> None:
        assert standing(doctor.one_time_codes) is Standing.OK
        configure(EZT_ONE_TIME_CODES="false")
        assert standing(doctor.one_time_codes) is Standing.NOTE
        configure(EZT_PUBLIC_URL="https://ezt.kq.example.cn")
        assert standing(doctor.one_time_codes) is Standing.ERROR

    def test_a_mapping_that_cannot_be_read_is_named(self, home: Path, configure: Configure) -> None:
        assert "内置" in one(doctor.interface_mappings).what
        broken = home.parent / "mapping.json"
        broken.write_text("{}", encoding="utf-8")
        configure(EZT_CERTIFICATE_MAPPING=broken)
        assert str(broken) in one(doctor.interface_mappings).what

    @pytest.mark.parametrize(
        ("scanner", "expected", "word"),
        [
            ("", Standing.NOTE, "没有设置"),
            ("sh -c 'if grep -q EICAR-STANDARD; then exit 1; fi'", Standing.OK, "能认出"),
            ("true", Standing.ERROR, "EICAR"),
            ("false", Standing.ERROR, "报成有毒"),
            ("/nowhere/scanner", Standing.ERROR, "不能运行"),
            ("sh -c 'if grep -q EICAR-STANDARD; then exit 2; fi'", Standing.ERROR, "出错"),
        ],
    )
    def test_a_scanner_scans(
        self, scanner: str, expected: Standing, word: str, home: Path, configure: Configure
    ) -> None:
        configure(EZT_VIRUS_SCANNER=scanner)
        found = one(doctor.virus_scanner)
        assert (found.standing, word in found.what) == (expected, True), found


class TestServers:
    def test_the_web_process_is_ours_or_somebody_elses_or_nobody(self, home: Path, configure: Configure) -> None:
        configure(EZT_WEB_PORT=free_port(), EZT_PUBLIC_URL=f"http://127.0.0.1:{free_port()}")
        assert "ezt-web" in one(doctor.web).todo
        with serving_app(app, 0) as port:
            configure(EZT_WEB_PORT=port)
            assert standing(doctor.web) is Standing.OK
            # On a machine with workers only, the pages are elsewhere.
            configure(EZT_WEB_PORT=free_port(), EZT_PUBLIC_URL=f"http://127.0.0.1:{port}")
            assert "不在本机" in one(doctor.web).what
        with socket.create_server(("127.0.0.1", 0)) as stranger:
            configure(EZT_WEB_PORT=stranger.getsockname()[1])
            assert "占用" in one(doctor.web).what

    def test_no_prefect_is_one_finding(self, home: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PREFECT_API_URL", raising=False)
        configure(EZT_PREFECT_PORT=free_port())
        assert "ezt-prefect" in one(doctor.prefect).todo
        with socket.create_server(("127.0.0.1", 0)) as stranger:
            configure(EZT_PREFECT_PORT=stranger.getsockname()[1])
            assert "占用" in one(doctor.prefect).what

    def test_a_prefect_that_answers_without_a_password_is_an_error(
        self, home: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PREFECT_API_URL", raising=False)
        anybodys = FastAPI()
        anybodys.get("/api/version")(lambda: "3.8.8")
        with serving_app(anybodys, 0) as port:
            configure(EZT_PREFECT_PORT=port)
            assert "不用口令就有答复" in one(doctor.prefect_password).what
        assert standing(doctor.prefect_password) is Standing.OK
        configure(EZT_PREFECT_PASSWORD="")
        assert (standing(doctor.prefect_password), "ezt migrate" in one(doctor.prefect_password).todo) == (
            Standing.ERROR,
            True,
        )

    def test_a_mail_server_that_is_well_and_nothing_is_sent(self, home: Path, configure: Configure) -> None:
        authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        authority.cert_pem.write_to_path(str(home.parent / "ca.pem"))
        assert standing(doctor.mail) is Standing.NOTE
        configure(EZT_SMTP_HOST="127.0.0.1", EZT_SMTP_PORT=free_port())
        assert "无法连接" in one(doctor.mail).what
        login = {"EZT_SMTP_USER": "ezt", "EZT_SMTP_CA_FILE": home.parent / "ca.pem"}
        for security in ("starttls", "tls"):
            port = free_port()
            with serving(port, security, context) as server:
                configure(EZT_SMTP_PORT=port, EZT_SMTP_SECURITY=security, EZT_SMTP_PASSWORD="correct horse", **login)
                assert standing(doctor.mail) is Standing.OK, security
                assert server.logins == ["ezt"]
                assert server.mails == []
                configure(EZT_SMTP_PASSWORD="wrong horse")
                assert "登录失败" in one(doctor.mail).what
                configure(EZT_SMTP_PASSWORD="correct horse", EZT_SMTP_CA_FILE="")
                assert "无法连接" in one(doctor.mail).what

    def test_a_mail_server_that_says_nothing_holds_nobody(
        self, home: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(doctor, "ANSWER_WITHIN", 2.0)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            configure(EZT_SMTP_HOST="127.0.0.1", EZT_SMTP_PORT=silent.getsockname()[1])
            started = time.monotonic()
            assert standing(doctor.mail) is Standing.ERROR
            assert time.monotonic() - started < 5

    def test_a_gateway_takes_our_signature_or_not(
        self, city_bureau: StandIn, configure: Configure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        migrate()
        look = doctor.ON_DATABASE[f"{Bureau.CITY}网关"]
        assert "签名有效" in one(look).what
        # The secrets it lent are shared by all processes: looking again fetches no new ones.
        lent = dict(city_bureau.lent)
        assert standing(look) is Standing.OK
        assert dict(city_bureau.lent) == lent
        city_bureau.app_secret = "another"
        city_bureau.request_secret = city_bureau.previous_request_secret = city_bureau.refresh_secret = ""
        assert "EZT_CITY_GATEWAY__" in one(look).todo
        configure(EZT_CITY_GATEWAY__URL=f"http://127.0.0.1:{free_port()}")
        assert "未能连通" in one(look).what
        monkeypatch.setattr(doctor, "ANSWER_WITHIN", 2.0)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            configure(EZT_CITY_GATEWAY__URL=f"http://127.0.0.1:{silent.getsockname()[1]}")
            assert "没有及时答复" in one(look).what
        province = one(doctor.ON_DATABASE[f"{Bureau.PROVINCE}网关"])
        assert (province.standing, "书面发函" in province.what) == (Standing.NOTE, True)
        zhejiang_gateway.close()

    def test_zheliban_answers_or_not(self, home: Path, configure: Configure) -> None:
        assert standing(doctor.zheliban) is Standing.NOTE
        with zheliban_stand_in.running(zheliban_stand_in.StandIn("code", "password")) as server:
            configure(EZT_ZHELIBAN__URL=server.url, EZT_ZHELIBAN__SERVICE_CODE="code")
            assert standing(doctor.zheliban) is Standing.OK
        zheliban.close()
        assert "未能连通" in one(doctor.zheliban).what

    def test_the_sign_on_of_staff_answers_or_not(self, home: Path, configure: Configure) -> None:
        assert standing(doctor.sign_on_of_staff) is Standing.OK
        with zhezhengding_stand_in.running(zhezhengding_stand_in.StandIn("key", "its-secret")) as server:
            configure(EZT_ZHEZHENGDING__URL=server.url, EZT_ZHEZHENGDING__APP_KEY="key")
            assert "EZT_ZHEZHENGDING__SIGN_IN_URL" in one(doctor.sign_on_of_staff).todo
            configure(EZT_ZHEZHENGDING__SIGN_IN_URL=server.sign_in_url, EZT_ZHEZHENGDING__APP_SECRET="its-secret")
            assert standing(doctor.sign_on_of_staff) is Standing.OK
            configure(EZT_ZHEZHENGDING__APP_SECRET="another-secret")
            assert standing(doctor.sign_on_of_staff) is Standing.ERROR
        zhezhengding.close()
        assert "未能连通" in one(doctor.sign_on_of_staff).what

    def test_from_where_the_desk_can_be_opened_is_said(self, home: Path, configure: Configure) -> None:
        assert standing(doctor.desk_networks) is Standing.OK
        configure(EZT_DESK_URL="https://desk.kq.example.cn")
        found = one(doctor.desk_networks)
        assert (found.standing, "EZT_DESK_NETWORKS" in found.todo) == (Standing.NOTE, True)
        configure(EZT_DESK_NETWORKS='["10.12.0.0/16", "fd00::/8"]')
        found = one(doctor.desk_networks)
        assert (found.standing, found.what) == (Standing.OK, "只限10.12.0.0/16、fd00::/8")
        # What an earlier version called Prefect's address.
        configure(EZT_PREFECT_URL="https://desk.kq.example.cn")
        assert one(doctor.desk_networks).standing is Standing.ERROR


class TestDatabase:
    def test_each_kind_says_which_it_is_and_when_it_is_behind(self, empty_database: str, configure: Configure) -> None:
        configure(EZT_DATABASE_URL=empty_database)
        if empty_database.startswith("postgresql"):
            assert "没有表" in one(doctor.database).what
        migrate()
        found = one(doctor.database)
        assert found.standing is Standing.OK
        assert found.what.startswith("PostgreSQL" if empty_database.startswith("postgresql") else "SQLite")
        assert "ezt@" not in found.what
        command.downgrade(alembic_config(), "-1")
        assert "ezt migrate" in one(doctor.database).todo
        migrate()
        with engine().begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from-the-future'")
        assert "升级本程序" in one(doctor.database).todo

    def test_a_database_that_is_away_or_none_is_said_so(self, home: Path, configure: Configure) -> None:
        configure(EZT_DATABASE_URL=f"postgresql+psycopg://ezt@127.0.0.1:{free_port()}/ezt")
        assert "数据库无法打开" in one(doctor.database).what
        home.mkdir(exist_ok=True)
        (home / "ezt.db").write_bytes(b"no database" * 1000)
        configure(EZT_DATABASE_URL="")
        assert "数据库不能使用" in one(doctor.database).what

    def test_a_database_that_never_answers_holds_nobody(
        self, home: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(doctor, "LOOK_WITHIN", 1.0)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            configure(EZT_DATABASE_URL=f"postgresql+psycopg://ezt@127.0.0.1:{port}/ezt")
            started = time.monotonic()
            assert "没有结果" in one(doctor.database).what
            assert time.monotonic() - started < 5

    def test_clocks_that_differ_are_found(
        self, empty_postgresql: str, home: Path, configure: Configure, later: Callable[[timedelta], None]
    ) -> None:
        configure(EZT_DATABASE_URL=empty_postgresql)
        migrate()
        for seconds, expected in ((0, Standing.OK), (10, Standing.NOTE), (45, Standing.ERROR)):
            later(timedelta(seconds=seconds))
            assert standing(doctor.database_clock) is expected

    def test_keys_that_are_not_the_databases_are_found(self, sample_data: Path, configure: Configure) -> None:
        record_something()
        seal_record(clock.now())
        assert "与数据库相符" in one(doctor.keys_of_the_database).what
        configure(EZT_SEAL_KEYS=os.urandom(32).hex())
        assert "EZT_SEAL_KEYS" in one(doctor.keys_of_the_database).what
        configure(EZT_DATA_KEYS=urlsafe_b64encode(os.urandom(32)).decode())
        assert "EZT_DATA_KEYS" in one(doctor.keys_of_the_database).what

    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            (datetime(2025, 12, 20, tzinfo=UTC), Standing.OK),
            (datetime(2026, 11, 25, tzinfo=UTC), Standing.OK),
            (datetime(2026, 12, 20, tzinfo=UTC), Standing.ERROR),
            (datetime(2027, 3, 1, tzinfo=UTC), Standing.ERROR),
        ],
    )
    def test_the_coming_year_is_known_in_time(
        self, now: datetime, expected: Standing, installation: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The library knows the years up to 2026.
        monkeypatch.setattr(clock, "now", lambda: now)
        found = one(doctor.calendar)
        assert found.standing is expected
        assert expected is Standing.OK or "录入国务院办公厅2027年的放假安排" in found.line()

    def test_a_record_that_nobody_seals_is_found(self, installation: Path, later: Callable[[timedelta], None]) -> None:
        record_something()
        assert standing(doctor.seals) is Standing.OK
        later(timedelta(minutes=11))
        assert "system-round" in one(doctor.seals).todo
        seal_record(clock.now())
        assert standing(doctor.seals) is Standing.OK

    def test_mails_that_wait_or_were_given_up_are_found(
        self, installation: Path, later: Callable[[timedelta], None]
    ) -> None:
        with transaction() as session:
            queue(session, a_notice(), "zhang@example.com", key="k", case_no=None, at=clock.now())
        assert "1封待发" in one(doctor.outbox).what
        for hours, expected in ((2, Standing.NOTE), (25, Standing.ERROR)):
            later(timedelta(hours=hours))
            found = one(doctor.outbox)
            assert found.standing is expected
            assert "zhang" not in found.line()
        with transaction() as session:
            session.query(OutgoingNotice).one().state = NoticeState.DEAD
            session.add(StaffTask(key="undeliverable:x", what="请联系", opened_at=clock.now()))
        assert "待阅事项" in one(doctor.outbox).todo

    def test_whose_address_cannot_be_written_to_is_named(self, sample_data: Path) -> None:
        assert standing(doctor.own_mailboxes) is Standing.OK
        with transaction() as session:
            office = session.scalars(select(Department).order_by(Department.uscc)).first()
            liaison = session.scalars(select(LiaisonOfficer).order_by(LiaisonOfficer.id)).first()
            assert office is not None
            assert liaison is not None
            for kept in (session.get_one(Officer, "KQ001"), office, liaison):
                kept.email = "wang@kq"
            session.get_one(Officer, "KQ002").email, session.get_one(Officer, "KQ002").active = "li@kq", False
        found = list(doctor.own_mailboxes())
        assert {finding.standing for finding in found} == {Standing.ERROR}
        assert [finding.what.partition("登记的")[0] for finding in found] == [
            "工号KQ001",
            f"“{office.name}”",
            f"“{session.get_one(Department, liaison.department_uscc).name}”的专人",
        ]
        assert "ezt officer change KQ001 --email" in found[0].todo
        assert not any("@" in finding.line() or liaison.name in finding.line() for finding in found)


def record_something() -> None:
    with transaction() as session:
        record(session, "case:sheet:read", None, "KQ001", clock.now())


@pytest.mark.timeout(600)
def test_a_real_prefect_is_looked_through(desk: WorkedDesk) -> None:
    wait_until(lambda: desk.client.read_workers_for_work_pool("ezt"), "执行器没有报到", 60)
    found = list(doctor.prefect())
    scheduled = sum(bool(each.cron) for each in stories().values())
    assert [finding.about for finding in found] == ["Prefect", "执行器", "流程部署", *["日程"] * scheduled]
    assert {finding.standing for finding in found if finding.about != "日程"} == {Standing.OK}, found

    assert standing(doctor.prefect_password) is Standing.OK

    client = desk.client
    deployed = {each.name: each for each in client.read_deployments(limit=200)}
    now = clock.now()
    # Deployed when the session of tests began: nothing was due then, whatever has been missed since.
    began = min(each.created.timestamp() for each in deployed.values() if each.created is not None)
    assert {finding.standing for finding in schedules(client, deployed, datetime.fromtimestamp(began, UTC))} == {
        Standing.OK
    }
    (silent,) = worker(client, now + timedelta(minutes=5))
    assert "最后一次心跳" in silent.what

    # Nobody has run for two days what is due every day.
    missed = schedules(client, deployed, now + timedelta(days=2))
    by_name = {finding.what.split("错过了")[0]: finding for finding in missed}
    assert by_name["deadline-watch"].standing is Standing.ERROR
    assert "尚未运行过" in by_name["deadline-watch"].what
    desk.carry_out("系统巡检/system-round")
    (ran,) = [f for f in schedules(client, deployed, clock.now()) if f.what.startswith("system-round")]
    assert (ran.standing, "上次运行" in ran.what) == (Standing.OK, True)

    # It ran when it was due, and failed: to run it once more would change nothing.
    why = "Flow run encountered an exception: KeyError: 'x'"
    client.create_flow_run_from_deployment(deployed["deadline-watch"].id, state=Failed(message=why))
    long_there = deployed["deadline-watch"].model_copy(update={"created": now - timedelta(days=30)})
    found = schedules(client, deployed | {"deadline-watch": long_there}, clock.now())
    (failed,) = [each for each in found if each.what.startswith("deadline-watch")]
    assert failed.standing is Standing.ERROR
    assert "按时运行了，但没有成功" in failed.what
    assert "KeyError" in failed.what
    assert "运行一次" not in failed.todo

    client.pause_deployment(deployed["system-round"].id)
    client.delete_deployment(deployed["visit"].id)
    wrong = {finding.about: finding for finding in doctor.prefect() if finding.standing is Standing.ERROR}
    assert wrong.keys() == {"流程部署", "日程"}
    assert "visit" in wrong["流程部署"].what
    assert "system-round" in wrong["日程"].what
    client.delete_work_pool("ezt")
    (none,) = worker(client, now)
    assert "没有工作池" in none.what


def test_the_newest_version_is_the_one_that_migrating_leads_to(installation: Path) -> None:
    forget_settings()
    present, newest = revisions()
    assert present == newest is not None
