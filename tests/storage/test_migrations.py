"""The migrations lead to exactly the tables that the models describe, on both databases."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from models import Base
from models.backfill_batches import BackfillRowHolder
from models.cases import Deadline, StaffTask
from models.certificate_uses import Presentation
from models.certificates import Certificate, CertificateHolder, CertificateType
from models.migrations import alembic_config, migrate
from models.records import AuditEntry
from regulation.catalogue import FieldKind, HolderKind, Sensitivity, Validity
from regulation.certificates import Level
from regulation.identity_numbers import NumberKind
from runtime.database import build_engine, transaction
from runtime.keys import keys
from tasks.case.marks import mark_of


def test_migrations_make_the_tables_of_the_models(empty_database: str) -> None:
    migrate(empty_database)
    engine = build_engine(empty_database)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_migrating_again_changes_nothing(empty_database: str) -> None:
    migrate(empty_database)
    migrate(empty_database)
    engine = build_engine(empty_database)
    with engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() is not None
    engine.dispose()


def test_what_the_watch_asks_every_morning_is_answered_by_index(empty_database: str) -> None:
    migrate(empty_database)
    engine = build_engine(empty_database)
    today = date(2026, 3, 2)
    questions = {
        "ix_deadlines_provisional": select(Deadline.starts_on).where(Deadline.running, Deadline.provisional),
        "ix_deadlines_running": select(Deadline.case_no)
        .where(Deadline.running, Deadline.due_on < today)
        .order_by(Deadline.due_on, Deadline.case_no),
        "ix_deadlines_running_by_limit": select(Deadline.turn).where(
            Deadline.running, Deadline.limit_code == "urge", Deadline.due_on < today
        ),
    }
    with engine.connect() as connection:
        how = "EXPLAIN QUERY PLAN"
        if engine.dialect.name == "postgresql":
            how = "EXPLAIN"
            connection.execute(text("SET enable_seqscan = off; SET enable_sort = off"))
        for index, question in questions.items():
            asked = question.compile(engine, compile_kwargs={"literal_binds": True})
            plan = "\n".join(str(line) for line in connection.execute(text(f"{how} {asked}")))
            assert re.search(rf"{index}\b", plan), plan
    engine.dispose()


def test_what_the_first_tables_held_of_certificates_is_kept_and_described(empty_database: str) -> None:
    command.upgrade(alembic_config(empty_database), "0001")
    engine = build_engine(empty_database)
    names = {"holder": "姓名", "holder_number": "公民身份号码", "issued_on": "发证日期"}
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO certificate_types VALUES ('T', '残疾人证', 'province', :names)"),
            {"names": json.dumps(names)},
        )
        for number, holder in enumerate(["11010519491231002X", "91330621123456789X"]):
            connection.execute(
                text(
                    "INSERT INTO certificates (identifier, root, version, type_code, number, number_index, holder_name,"
                    " holder_number, holder_index, face, issued_on, state)"
                    " VALUES (:i, 'r', 1, 'T', 'n', 'n', 'n', :holder, 'h', 'f', '2020-01-01', 'valid')"
                ),
                {"i": f"i{number}", "holder": keys().encrypt_text(holder)},
            )
    migrate(empty_database)
    with Session(engine) as session:
        kind = session.get_one(CertificateType, "T")
        assert kind.names == names
        assert [(field.kind, field.sensitivity) for field in kind.fields] == [
            (FieldKind.TEXT, Sensitivity.PERSONAL),
            (FieldKind.IDENTITY_NUMBER, Sensitivity.SENSITIVE),
            (FieldKind.DATE, Sensitivity.PERSONAL),
        ]
        assert (kind.issuing_level, kind.validity, kind.holder_kinds) == (
            Level.PROVINCE,
            Validity.ON_FACE,
            tuple(HolderKind),
        )
        held = select(Certificate.holder_kind, Certificate.holder_number_kind, Certificate.remark)
        assert [tuple(row) for row in session.execute(held.order_by(Certificate.id))] == [
            (HolderKind.NATURAL_PERSON, NumberKind.RESIDENT, ""),
            (HolderKind.LEGAL_PERSON, NumberKind.CREDIT_CODE, ""),
        ]
    command.downgrade(alembic_config(empty_database), "0001")
    with engine.connect() as connection:
        kept = connection.scalar(text("SELECT fields FROM certificate_types"))
    assert (json.loads(kept) if isinstance(kept, str) else kept) == names
    engine.dispose()


def test_who_entered_something_unsigned_is_the_person_whose_number_it_is(empty_database: str) -> None:
    command.upgrade(alembic_config(empty_database), "0016")
    given = ["KQ004（未通过验证）", "kq001（未通过验证）", "KQ002", "KQ-MZ/MZ-07"]
    # Not ours, which would mind that there is no such case.
    engine = create_engine(empty_database)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE backfill_entries DROP CONSTRAINT fk_backfill_entries_case_no"))
            connection.execute(
                text("ALTER TABLE system_review_versions DROP CONSTRAINT fk_system_review_versions_case_no")
            )
        for number, entered_by in enumerate(given):
            row = {"n": number, "key": str(number), "by": entered_by}
            entry = "backfill_entries (case_no, turn, given, entered_by, at)"
            connection.execute(text(f"INSERT INTO {entry} VALUES ('BL', :n, '', :by, '2026-03-02')"), row)
            version = "system_review_versions (case_no, version, submission_key, given, entered_by, at)"
            connection.execute(text(f"INSERT INTO {version} VALUES ('PS', :n, :key, '', :by, '2026-03-02')"), row)
    migrate(empty_database)
    with engine.connect() as connection:
        for table, order in (("backfill_entries", "turn"), ("system_review_versions", "version")):
            kept = connection.scalars(text(f"SELECT entered_by FROM {table} ORDER BY {order}"))
            assert kept.all() == ["KQ004", "KQ001", "KQ002", "KQ-MZ/MZ-07"]
    engine.dispose()


def test_what_the_register_kept_beside_a_corrected_face_is_read_off_the_face(empty_database: str) -> None:
    fields = [
        {"code": code, "name": name, "kind": kind, "sensitivity": "public"}
        for code, name, kind in (
            ("number", "许可证号", "number"),
            ("holder", "持证单位", "name"),
            ("holder_number", "统一社会信用代码", "credit-code"),
            ("valid_until", "有效期至", "date"),
        )
    ]
    face = {"number": "1号", "holder": "新名", "holder_number": "91330621MA2XYL5N56", "valid_until": "2020-01-01"}
    command.upgrade(alembic_config(empty_database), "0018")
    engine = create_engine(empty_database)
    sealed = keys().encrypt_text
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE certificates DROP CONSTRAINT fk_certificates_backfilled_by_case"))
        connection.execute(
            text(
                "INSERT INTO certificate_types (code, name, issuing_authority, issuing_level, source, validity,"
                " stale_after_hours, holder_kinds, fields)"
                " VALUES ('T', '某证', '某局', 'district', 'district', 'on-face', 1, :kinds, :fields)"
            ),
            {"kinds": json.dumps(["法人"]), "fields": json.dumps(fields)},
        )
        for version, name, until, case in ((1, "旧名", "2030-01-01", "BL"), (2, "旧名", "2030-01-01", None)):
            connection.execute(
                text(
                    "INSERT INTO certificates (identifier, root, version, type_code, number, number_index, holder_kind,"
                    " holder_name, holder_number_kind, holder_number, holder_index, face, issued_on, valid_until_on,"
                    " state, remark, read_at, backfilled_by_case)"
                    " VALUES (:i, 'r', :version, 'T', :number, 'n', '法人', :name, '统一社会信用代码', :holder, 'h',"
                    " :face, '2015-01-01', :until, :state, '', '2026-01-01', :case)"
                ),
                {
                    "i": f"i{version}",
                    "version": version,
                    "number": sealed("1号"),
                    "name": sealed(name),
                    "holder": sealed(face["holder_number"]),
                    "face": sealed(json.dumps(face if version == 2 else face | {"holder": name, "valid_until": until})),
                    "until": until,
                    "state": "superseded" if version == 1 else "valid",
                    "case": case,
                },
            )
    done = migrate(empty_database)
    assert [each for each in done.said if "有1件证照" in each and "i2" in each] == list(done.said)
    with Session(engine) as session:
        old, new = session.scalars(select(Certificate).order_by(Certificate.version))
        assert (old.holder_name, old.valid_until_on) == ("旧名", date(2030, 1, 1))
        assert (new.holder_name, new.valid_until_on, new.backfilled_by_case) == ("新名", date(2020, 1, 1), "BL")
        assert new.holder_index == keys().blind_index("holder-number", face["holder_number"])
        (entry,) = session.scalars(select(AuditEntry))
        assert entry.detail == {"identifier": "i2", "changed": ["holder_name", "valid_until_on"]}
        assert session.scalars(select(StaffTask.what)).all() == list(done.said)
    engine.dispose()


def test_objections_of_before_are_linked_and_know_when_they_were_withdrawn(empty_database: str) -> None:
    command.upgrade(alembic_config(empty_database), "0019")
    # Not ours, which would mind that there is no such officer.
    engine = create_engine(empty_database)
    given = [
        ("YY-2026-000001", "已办结", "r", "address", None),
        ("YY-2026-000002", "已撤回", "r", "address", None),
        ("YY-2026-000003", "核实中", "r", "address", None),
        ("YY-2026-000004", "已并案", "r", "address", "YY-2026-000003"),
        ("YY-2026-000005", "待初审", "r", "name", None),
        ("YY-2026-000006", "待初审", None, "address", None),
        ("YY-2027-000001", "待初审", "r", "address", None),
    ]
    ended = {"已办结", "已撤回"}
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE cases DROP CONSTRAINT fk_cases_officer_no"))
        for case_no, stage, root, field, lead in given:
            row = {"no": case_no, "stage": stage, "root": root, "field": field, "lead": lead}
            row["at"], row["closed"] = "2026-03-02 01:00:00", "2026-03-03 01:00:00" if stage in ended else None
            connection.execute(
                text(
                    "INSERT INTO cases (case_no, kind, stage, received_on, opened_at, closed_at, officer_no,"
                    " measures_version, runs_started) VALUES (:no, 'YY', :stage, '2026-03-02', :at, :closed, 'KQ001',"
                    " '2025', 0)"
                ),
                row,
            )
            connection.execute(
                text(
                    "INSERT INTO objections (case_no, token, token_index, submission_key, objector_kind,"
                    " objector_name, email, phone, certificate_type, certificate_reference, certificate_key,"
                    " certificate_root, field_code, field_key, field_name, grounds, stated, proposed, reason, remark,"
                    " lead_case_no) VALUES (:no, 't', :no, :no, '持证主体', 'n', 'e', 'p', 'c', 'r', 'k', :root,"
                    " :field, 'f', 'n', '[]', 's', 'p', 'r', '', :lead)"
                ),
                row,
            )
    migrate(empty_database)
    with engine.connect() as connection:
        wanted = "SELECT case_no, earlier_case_no, withdrawn_at IS NOT NULL FROM objections ORDER BY case_no"
        rows = [(case_no[-4:], earlier, bool(left)) for case_no, earlier, left in connection.execute(text(wanted))]
        same = text("SELECT count(*) FROM objections JOIN cases USING (case_no) WHERE withdrawn_at = closed_at")
        assert connection.scalar(same) == 1
    assert rows == [
        ("0001", None, False),
        ("0002", "YY-2026-000001", True),
        ("0003", "YY-2026-000002", False),
        ("0004", None, False),
        ("0005", None, False),
        ("0006", None, False),
        ("0001", "YY-2026-000003", False),
    ]
    command.downgrade(alembic_config(empty_database), "0019")
    engine.dispose()


MARRIED = {
    "number": "J330603-2020-000001",
    "holder": "俞小云",
    "husband": "王建国",
    "husband_number": "33062119680512101X",
    "wife": "俞小云",
    "wife_number": "330603199001011246",
}
OWNED = {"holder": "王建国、俞小云", "holder_number": "33062119680512101X、330603199001011246", "share": "40%、60%"}


def test_all_holders_of_what_the_register_has_are_read_off_the_faces(empty_database: str) -> None:
    command.upgrade(alembic_config(empty_database), "0019")
    engine = create_engine(empty_database)
    sealed, index = keys().encrypt_text, keys().blind_index
    wife, husband = MARRIED["wife_number"], MARRIED["husband_number"]
    version = {
        "number": sealed(MARRIED["number"]),
        "name": sealed("俞小云"),
        "holder": sealed(wife),
        "index": index("holder-number", wife),
    }
    holder = "holder_kind, holder_name, holder_number_kind, holder_number, holder_index"
    columns = f"number, number_index, {holder}, face, issued_on"
    values = ":number, 'n', '自然人', :name, '公民身份号码', :holder, :index, :face, '2020-01-01'"
    # What it was sealed with is gone.
    lost = sealed("{}")[:-8] + "AAAAAAA="
    faces = {
        "i1": ("M", sealed(json.dumps(MARRIED)), version),
        "i2": ("M", sealed(json.dumps(MARRIED | {"husband_number": "不详"})), version),
        "i3": ("E", sealed(json.dumps(OWNED)), version | {"name": sealed("王建国、俞小云"), "holder": sealed(husband)}),
        "i4": ("E", lost, version),
    }
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            for name in ("case_no", "department_uscc", "type_code"):
                connection.execute(text(f"ALTER TABLE backfill_batches DROP CONSTRAINT fk_backfill_batches_{name}"))
        for code, face in (("M", MARRIED), ("E", OWNED)):
            kinds = {name: "identity-number" if name.endswith("_number") else "name" for name in face}
            kinds |= {name: "text" for name in ("number", "share") if name in face}
            fields = [
                {"code": name, "name": name, "kind": kind, "sensitivity": "public"} for name, kind in kinds.items()
            ]
            connection.execute(
                text(
                    "INSERT INTO certificate_types (code, name, issuing_authority, issuing_level, source, validity,"
                    " stale_after_hours, holder_kinds, fields)"
                    " VALUES (:code, :code, '某局', 'district', 'district', 'unlimited', 1, :kinds, :fields)"
                ),
                {"code": code, "kinds": json.dumps(["自然人"]), "fields": json.dumps(fields)},
            )
        for identifier, (code, face, kept) in faces.items():
            connection.execute(
                text(
                    f"INSERT INTO certificates (identifier, root, version, type_code, {columns}, state, remark,"
                    f" read_at) VALUES (:i, :i, 1, :code, {values}, 'valid', '', '2026-01-01')"
                ),
                {"i": identifier, "code": code, "face": face} | kept,
            )
        batch = "sha256, seed, columns, rows, chunks, next_chunk, good, same, conflict, bad"
        connection.execute(
            text(
                "INSERT INTO backfill_batches (case_no, department_uscc, type_code, service_case_no, entered_by,"
                f" {batch}) VALUES ('PL-1', 'd', 'M', 's', 'KQ001', 'x', 'y', '[]', 1, 1, 1, 1, 0, 0, 0)"
            )
        )
        connection.execute(
            text(
                f"INSERT INTO backfill_rows (case_no, row, digest, identifier, root, {columns})"
                f" VALUES ('PL-1', 2, 'd', 'i9', 'i9', {values})"
            ),
            {"face": sealed(json.dumps(MARRIED))} | version,
        )
        connection.execute(
            text(
                "INSERT INTO presentations (code_index, certificate_id, made_at, expires_at)"
                " SELECT 'c', id, '2026-01-01', '2026-01-01' FROM certificates WHERE identifier = 'i1'"
            )
        )
    done = migrate(empty_database)
    assert [each[:5] for each in done.said] == ["有1件证照"] * 3
    with Session(engine) as session:
        wanted = select(Certificate.identifier, CertificateHolder)
        wanted = wanted.join(CertificateHolder, CertificateHolder.certificate_id == Certificate.id)
        found: dict[str, list[tuple[str, str, str, str | None]]] = {}
        for identifier, each in session.execute(wanted.order_by(Certificate.identifier, CertificateHolder.place)):
            assert each.holder_index == index("holder-number", each.number)
            found.setdefault(identifier, []).append((each.field, each.name, each.number, each.share))
        assert found == {
            "i1": [("wife", "俞小云", wife, None), ("husband", "王建国", husband, None)],
            "i2": [("wife", "俞小云", wife, None)],
            "i3": [("holder", "王建国", husband, "40%"), ("holder", "俞小云", wife, "60%")],
            "i4": [("holder", "俞小云", wife, None)],
        }
        owned = session.scalars(select(Certificate).where(Certificate.identifier == "i3")).one()
        assert (owned.holder_name, owned.holder_number) == ("王建国", husband)
        assert owned.holder_index == index("holder-number", husband)
        staged = session.scalars(select(BackfillRowHolder).order_by(BackfillRowHolder.place)).all()
        assert [(each.row, each.field, each.number) for each in staged] == [(2, "wife", wife), (2, "husband", husband)]
        assert session.scalars(select(Presentation.holder_index)).all() == [index("holder-number", wife)]
        assert session.scalars(select(StaffTask.what)).all() == list(done.said)
    engine.dispose()


def test_cases_of_before_are_found_by_whole_names_and_numbers(empty_database: str) -> None:
    command.upgrade(alembic_config(empty_database), "0023")
    # Not ours, which would mind that there is no such officer.
    engine, sealed = create_engine(empty_database), keys().encrypt_text
    with engine.begin() as connection:

        def put(table: str, **values: object) -> None:
            names = ", ".join(values)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES (:{', :'.join(values)})"), values)

        if engine.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        case = {"stage": "s", "received_on": "2026-03-02", "opened_at": "2026-03-02 01:00:00", "officer_no": "KQ001"}
        case |= {"measures_version": "2025", "runs_started": 0}
        for case_no in ("YY-2026-000001", "YY-2026-000002", "BL-2026-000001", "ZR-2026-000001", "FY-2026-000001"):
            put("cases", case_no=case_no, kind=case_no[:2], **case)
        objection = dict.fromkeys(("token", "email", "certificate_type", "field_name", "stated", "proposed"), "x")
        objection |= {"reason": "x", "remark": "", "grounds": "[]", "certificate_key": "k", "field_key": "f"}
        objection |= {"objector_kind": "持证主体", "certificate_root": "r"}
        for number, name in enumerate((sealed("俞小云"), "no key of ours"), 1):
            case_no, reference = f"YY-2026-00000{number}", sealed("J330603-2020-000001")
            own = {"token_index": case_no, "submission_key": case_no, "phone": sealed("0575 1"), "objector_name": name}
            put("objections", case_no=case_no, certificate_reference=reference, **own, **objection)
        put(
            "backfills",
            case_no="BL-2026-000001",
            submission_key="b",
            department_uscc="d",
            type_code="M",
            token="t",
            token_index="b",
            service_case_no="s",
        )
        paper = {"number": "J-1", "holder": "王建国、陈丽华", "holder_number": "33062119680512101X", "sex": "男"}
        put(
            "backfill_entries",
            case_no="BL-2026-000001",
            turn=1,
            given=sealed(json.dumps(paper)),
            entered_by="KQ001",
            at="2026-03-02 01:00:00",
        )
        put(
            "liaison_filings",
            case_no="ZR-2026-000001",
            submission_key="z",
            department_uscc="d",
            kind="变更",
            email="x",
            name=sealed("鲁国栋"),
            position="p",
            phone=sealed("0575 2"),
            replaces_id=1,
        )
        put(
            "liaison_officers",
            id=1,
            department_uscc="d",
            name=sealed("郭子涵"),
            position="p",
            phone="x",
            email="x",
            from_on="2026-01-01",
        )
        report = dict.fromkeys(("submission_key", "department_uscc", "matter", "material", "demand", "account"), "x")
        put("paper_reports", case_no="FY-2026-000001", happened_on="2026-01-01", phone=sealed("0575 3"), **report)
        certificate = dict.fromkeys(("number", "number_index", "holder_name", "holder_number", "holder_index"), "x")
        certificate |= {"type_code": "M", "face": "x", "state": "valid", "issued_on": "2026-01-01", "version": 1}
        certificate |= {"holder_kind": "x", "holder_number_kind": "x", "remark": "", "read_at": "2026-01-01 01:00:00"}
        put("certificates", id=1, identifier="r.1", root="r", **certificate)
        put("certificates", id=2, identifier="s.1", root="s", backfilled_by_case="BL-2026-000001", **certificate)
        holder = {"place": 1, "field": "holder", "holder_kind": "x", "number_kind": "x", "number": "x"}
        put("certificate_holders", certificate_id=1, holder_index="1", name=sealed("钱不二"), **holder)
        put("certificate_holders", certificate_id=2, holder_index="2", name=sealed("孙小三"), **holder)
    migrate(empty_database)
    with engine.connect() as connection:
        marks = {tuple(row) for row in connection.execute(text("SELECT case_no, mark FROM case_marks"))}
    said = {
        "YY-2026-000001": ("俞小云", "05751", "J330603-2020-000001", "钱不二"),
        "YY-2026-000002": ("05751", "J330603-2020-000001", "钱不二"),
        "BL-2026-000001": ("J-1", "王建国、陈丽华", "王建国", "陈丽华", "33062119680512101X", "孙小三"),
        "ZR-2026-000001": ("鲁国栋", "05752", "郭子涵"),
        "FY-2026-000001": ("05753",),
    }
    assert marks == {(case_no, mark_of(each)) for case_no, texts in said.items() for each in texts}
    engine.dispose()


def test_officers_of_before_have_no_account_and_stay_who_they_are(empty_database: str) -> None:
    command.upgrade(alembic_config(empty_database), "0023")
    engine = create_engine(empty_database)
    columns = "staff_no, name, role, email, code_secret, active"
    row = f"INSERT INTO officers ({columns}) VALUES (:no, 'n', '经办人', 'e', 's', true)"
    with engine.begin() as connection:
        for number in ("KQ001", "KQ002"):
            connection.execute(text(row), {"no": number})
    migrate(empty_database)
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT staff_no, name, account_index FROM officers ORDER BY staff_no")).all()
    assert [tuple(each) for each in kept] == [("KQ001", "n", None), ("KQ002", "n", None)]
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("UPDATE officers SET account_index = 'same'"))
    engine.dispose()


def test_a_catalogue_entry_that_is_none_is_not_stored(installation: Path) -> None:
    broken = CertificateType(
        code="T",
        name="某证",
        issuing_authority="某局",
        issuing_level=Level.CITY,
        source=Level.CITY,
        validity=Validity.UNLIMITED,
        stale_after_hours=24,
        holder_kinds=("路人",),
        fields=(),
    )
    with pytest.raises(StatementError, match="路人"), transaction() as session:
        session.add(broken)


def test_usual_reasons_can_be_kept_from_now_on(empty_database: str) -> None:
    command.upgrade(alembic_config(empty_database), "0024")
    engine = create_engine(empty_database)
    assert "desk_phrases" not in inspect(engine).get_table_names()
    command.upgrade(alembic_config(empty_database), "0025")
    assert {column["name"] for column in inspect(engine).get_columns("desk_phrases")} == {
        "id",
        "question",
        "field",
        "text",
        "kept_by",
        "at",
    }
    command.downgrade(alembic_config(empty_database), "0024")
    assert "desk_phrases" not in inspect(engine).get_table_names()
    engine.dispose()


def test_limits_of_cases_handed_over_before_stay_with_who_had_them(empty_database: str) -> None:
    command.upgrade(alembic_config(empty_database), "0026")
    engine = create_engine(empty_database)
    # Met or missed, with the hand-overs 1 to 2 (on the 5th, 10:00) and 2 to 3 (on the 9th, 23:30 in Keqiao).
    limits = {
        "met before the first": ("2026-03-04", "2026-03-03", "KQ001"),
        "met on its day": ("2026-03-06", "2026-03-05", "KQ001"),
        "missed on its day": ("2026-03-05", "2026-03-12", "KQ002"),
        "missed before it": ("2026-03-04", "2026-03-12", "KQ001"),
        "met between": ("2026-03-06", "2026-03-06", "KQ002"),
        "still running, missed": ("2026-03-06", None, "KQ002"),
        "met after both": ("2026-03-11", "2026-03-11", None),
        "still running": ("2026-03-20", None, None),
    }
    with engine.begin() as connection:
        for number in ("KQ001", "KQ002", "KQ003"):
            row = "INSERT INTO officers (staff_no, name, role, email, code_secret, active)"
            connection.execute(text(f"{row} VALUES (:no, 'n', '经办人', 'e', 's', true)"), {"no": number})
        columns = "case_no, kind, stage, received_on, opened_at, officer_no, measures_version, runs_started"
        values = "'YY-2026-000001', 'YY', 's', '2026-03-02', '2026-03-02 01:00:00', 'KQ003', '2025', 0"
        connection.execute(text(f"INSERT INTO cases ({columns}) VALUES ({values})"))
        for given, taken, at in (("KQ001", "KQ002", "03-05 02:00:00"), ("KQ002", "KQ003", "03-09 15:30:00")):
            row = "INSERT INTO handovers (case_no, from_no, to_no, why, by_no, at) VALUES ('YY-2026-000001', :f, :t,"
            connection.execute(text(f"{row} 'w', :f, :at)"), {"f": given, "t": taken, "at": f"2026-{at}"})
        for turn, (due_on, met_on, _) in enumerate(limits.values()):
            row = "INSERT INTO deadlines (case_no, limit_code, turn, clock, starts_on, days, due_on, provisional, rule,"
            values = "'YY-2026-000001', 'l', :turn, '法定', '2026-03-02', 2, :due, false, 'r', :met)"
            connection.execute(text(f"{row} met_on) VALUES ({values}"), {"turn": turn, "due": due_on, "met": met_on})
    migrate(empty_database)
    with engine.connect() as connection:
        whose = connection.scalars(text("SELECT officer_no FROM deadlines ORDER BY turn")).all()
    assert dict(zip(limits, whose, strict=True)) == {name: no for name, (_, _, no) in limits.items()}
    command.downgrade(alembic_config(empty_database), "0026")
    engine.dispose()


def test_what_has_its_reply_and_still_waits_for_it_is_let_go_on(empty_database: str) -> None:
    command.upgrade(alembic_config(empty_database), "0032")
    engine = create_engine(empty_database)
    # Whether its reply is on record (and was taken), and what it waits for.
    cases = {
        "YY-2026-000001": ("taken", "verification-reply-2", None),
        "YY-2026-000002": ("refused", "verification-reply-2", "verification-reply-2"),
        "YY-2026-000003": (None, "verification-reply-2", "verification-reply-2"),
        "YY-2026-000004": ("taken", "refused-request-2", "refused-request-2"),
        "YY-2026-000005": ("of another turn", "verification-reply-2", "verification-reply-2"),
    }
    with engine.begin() as connection:
        row = "INSERT INTO officers (staff_no, name, role, email, code_secret, active)"
        connection.execute(text(f"{row} VALUES ('KQ001', 'n', '经办人', 'e', 's', true)"))
        for case_no, (reply, waiting_for, _) in cases.items():
            columns = "case_no, kind, stage, received_on, opened_at, officer_no, measures_version, runs_started"
            values = ":no, 'YY', '核实中', '2026-03-02', '2026-03-02 01:00:00', 'KQ001', '2025', 0, :waiting"
            said = {"no": case_no, "waiting": waiting_for}
            connection.execute(text(f"INSERT INTO cases ({columns}, waiting_for) VALUES ({values})"), said)
            if reply is not None:
                columns = "case_no, question, turn, source, source_key, given, at, refusal"
                values = ":no, 'verification-reply', :turn, 'bureau', :no, 'sealed', '2026-03-03 01:00:00', :refusal"
                said = {"no": case_no, "turn": 1 if reply == "of another turn" else 2}
                said |= {"refusal": "这一步已有答复" if reply == "refused" else None}
                connection.execute(text(f"INSERT INTO answers ({columns}) VALUES ({values})"), said)
    migrate(empty_database)
    with engine.connect() as connection:
        waits = connection.execute(text("SELECT case_no, waiting_for FROM cases")).tuples().all()
    engine.dispose()
    assert dict(waits) == {case_no: waiting_for for case_no, (*_, waiting_for) in cases.items()}
