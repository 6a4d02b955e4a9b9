"""the tables of the objection story"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
in_chinese = "异议核查的各张表"


def upgrade() -> None:
    op.create_table(
        "applications",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("speaks_for", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_applications")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(op.f("ix_audit_entries_case_no"), "audit_entries", ["case_no"], unique=False)
    op.create_index("ix_audit_entries_tag_at", "audit_entries", ["tag", "at"], unique=False)
    op.create_table(
        "case_counters",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "year", name=op.f("pk_case_counters")),
    )
    op.create_table(
        "certificate_types",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_certificate_types")),
        sa.UniqueConstraint("name", name=op.f("uq_certificate_types_name")),
    )
    op.create_table(
        "departments",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", name=op.f("pk_departments")),
        sa.UniqueConstraint("name", name=op.f("uq_departments_name")),
    )
    op.create_table(
        "gateway_secrets",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("request_secret", sa.Text(), nullable=False),
        sa.Column("request_secret_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refresh_secret", sa.Text(), nullable=False),
        sa.Column("refresh_secret_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_gateway_secrets")),
    )
    op.create_table(
        "nonces",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "nonce", name=op.f("pk_nonces")),
    )
    op.create_index(op.f("ix_nonces_expires_at"), "nonces", ["expires_at"], unique=False)
    op.create_table(
        "officers",
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("code_secret", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("staff_no", name=op.f("pk_officers")),
    )
    op.create_table(
        "cases",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("officer_no", sa.Text(), nullable=False),
        sa.Column("measures_version", sa.Text(), nullable=False),
        sa.Column("waiting_for", sa.Text(), nullable=True),
        sa.Column("flow_run_id", sa.Text(), nullable=True),
        sa.Column("runs_started", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["officer_no"], ["officers.staff_no"], name=op.f("fk_cases_officer_no")),
        sa.PrimaryKeyConstraint("case_no", name=op.f("pk_cases")),
    )
    op.create_index(op.f("ix_cases_flow_run_id"), "cases", ["flow_run_id"], unique=False)
    op.create_index(
        "ix_cases_open",
        "cases",
        ["kind", "officer_no"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "certificates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("number_index", sa.Text(), nullable=False),
        sa.Column("holder_name", sa.Text(), nullable=False),
        sa.Column("holder_number", sa.Text(), nullable=False),
        sa.Column("holder_index", sa.Text(), nullable=False),
        sa.Column("face", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_until_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("corrected_by_case", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["type_code"], ["certificate_types.code"], name=op.f("fk_certificates_type_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("identifier", name=op.f("uq_certificates_identifier")),
    )
    op.create_index(op.f("ix_certificates_holder_index"), "certificates", ["holder_index"], unique=False)
    op.create_index(op.f("ix_certificates_root"), "certificates", ["root"], unique=False)
    op.create_index(
        "ix_certificates_type_code_number_index", "certificates", ["type_code", "number_index"], unique=False
    )
    op.create_table(
        "leaves",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("substitute_no", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["staff_no"], ["officers.staff_no"], name=op.f("fk_leaves_staff_no")),
        sa.ForeignKeyConstraint(["substitute_no"], ["officers.staff_no"], name=op.f("fk_leaves_substitute_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaves")),
    )
    op.create_index(op.f("ix_leaves_staff_no"), "leaves", ["staff_no"], unique=False)
    op.create_table(
        "published_years",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("days_off", sa.JSON(), nullable=False),
        sa.Column("days_worked", sa.JSON(), nullable=False),
        sa.Column("officer_no", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["officer_no"], ["officers.staff_no"], name=op.f("fk_published_years_officer_no")),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_published_years")),
    )
    op.create_table(
        "spent_codes",
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("time_step", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["staff_no"], ["officers.staff_no"], name=op.f("fk_spent_codes_staff_no")),
        sa.PrimaryKeyConstraint("staff_no", "time_step", name=op.f("pk_spent_codes")),
    )
    op.create_table(
        "answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("officer_no", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_answers_case_no")),
        sa.ForeignKeyConstraint(["officer_no"], ["officers.staff_no"], name=op.f("fk_answers_officer_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
        sa.UniqueConstraint("source_key", name=op.f("uq_answers_source_key")),
    )
    op.create_index(op.f("ix_answers_case_no"), "answers", ["case_no"], unique=False)
    op.create_index(
        "uq_answers_accepted",
        "answers",
        ["case_no", "question", "turn"],
        unique=True,
        sqlite_where=sa.text("refusal IS NULL"),
        postgresql_where=sa.text("refusal IS NULL"),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_attachments_case_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    op.create_index(op.f("ix_attachments_case_no"), "attachments", ["case_no"], unique=False)
    op.create_table(
        "deadlines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("limit_code", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("clock", sa.String(32), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("met_on", sa.Date(), nullable=True),
        sa.Column("lapsed_on", sa.Date(), nullable=True),
        sa.Column("missed_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_deadlines_case_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadlines")),
        sa.UniqueConstraint("case_no", "limit_code", "turn", name=op.f("uq_deadlines_case_no_limit_code_turn")),
    )
    op.create_index(
        "ix_deadlines_running",
        "deadlines",
        ["due_on"],
        unique=False,
        sqlite_where=sa.text("met_on IS NULL AND lapsed_on IS NULL"),
        postgresql_where=sa.text("met_on IS NULL AND lapsed_on IS NULL"),
    )
    op.create_table(
        "handovers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("from_no", sa.Text(), nullable=False),
        sa.Column("to_no", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by_no", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["by_no"], ["officers.staff_no"], name=op.f("fk_handovers_by_no")),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_handovers_case_no")),
        sa.ForeignKeyConstraint(["from_no"], ["officers.staff_no"], name=op.f("fk_handovers_from_no")),
        sa.ForeignKeyConstraint(["to_no"], ["officers.staff_no"], name=op.f("fk_handovers_to_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handovers")),
    )
    op.create_index(op.f("ix_handovers_case_no"), "handovers", ["case_no"], unique=False)
    op.create_table(
        "objections",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("token_index", sa.Text(), nullable=False),
        sa.Column("submission_key", sa.Text(), nullable=False),
        sa.Column("objector_kind", sa.String(32), nullable=False),
        sa.Column("objector_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("certificate_type", sa.Text(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=True),
        sa.Column("certificate_reference", sa.Text(), nullable=False),
        sa.Column("certificate_key", sa.Text(), nullable=False),
        sa.Column("certificate_root", sa.Text(), nullable=True),
        sa.Column("field_code", sa.Text(), nullable=True),
        sa.Column("field_key", sa.Text(), nullable=False),
        sa.Column("field_name", sa.Text(), nullable=False),
        sa.Column("grounds", sa.JSON(), nullable=False),
        sa.Column("stated", sa.Text(), nullable=False),
        sa.Column("proposed", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("lead_case_no", sa.Text(), nullable=True),
        sa.Column("outcome", sa.String(32), nullable=True),
        sa.Column("disagreement", sa.Text(), nullable=True),
        sa.Column("disagreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_objections_case_no")),
        sa.ForeignKeyConstraint(["lead_case_no"], ["cases.case_no"], name=op.f("fk_objections_lead_case_no")),
        sa.ForeignKeyConstraint(["type_code"], ["certificate_types.code"], name=op.f("fk_objections_type_code")),
        sa.PrimaryKeyConstraint("case_no", name=op.f("pk_objections")),
        sa.UniqueConstraint("submission_key", name=op.f("uq_objections_submission_key")),
        sa.UniqueConstraint("token_index", name=op.f("uq_objections_token_index")),
    )
    op.create_index(
        "ix_objections_certificate_key_field_key", "objections", ["certificate_key", "field_key"], unique=False
    )
    op.create_index(op.f("ix_objections_lead_case_no"), "objections", ["lead_case_no"], unique=False)
    op.create_table(
        "outgoing_notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=True),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_outgoing_notices_case_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_notices")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outgoing_notices_message_id")),
    )
    op.create_index(op.f("ix_outgoing_notices_case_no"), "outgoing_notices", ["case_no"], unique=False)
    op.create_index(
        "ix_outgoing_notices_queued",
        "outgoing_notices",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "staff_tasks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by_no", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_staff_tasks_case_no")),
        sa.ForeignKeyConstraint(["done_by_no"], ["officers.staff_no"], name=op.f("fk_staff_tasks_done_by_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_tasks")),
        sa.UniqueConstraint("key", name=op.f("uq_staff_tasks_key")),
    )
    op.create_index(op.f("ix_staff_tasks_case_no"), "staff_tasks", ["case_no"], unique=False)
    op.create_table(
        "step_records",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_step_records_case_no")),
        sa.PrimaryKeyConstraint("case_no", "step", "turn", name=op.f("pk_step_records")),
    )
    op.create_table(
        "supplements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_supplements_case_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplements")),
    )
    op.create_index(op.f("ix_supplements_case_no"), "supplements", ["case_no"], unique=False)
    op.create_table(
        "verification_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("pursuit", sa.String(32), nullable=False),
        sa.Column("bureau", sa.String(32), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("by_letter", sa.Boolean(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remote_no", sa.Text(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_no"], ["cases.case_no"], name=op.f("fk_verification_requests_case_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_requests")),
        sa.UniqueConstraint("case_no", "turn", name=op.f("uq_verification_requests_case_no_turn")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_verification_requests_idempotency_key")),
    )
    op.create_index(
        "ix_verification_requests_unsent",
        "verification_requests",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NULL AND refusal IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL AND refusal IS NULL"),
    )
    op.create_table(
        "deadline_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deadline_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["deadline_id"], ["deadlines.id"], name=op.f("fk_deadline_changes_deadline_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline_changes")),
    )
    op.create_index(op.f("ix_deadline_changes_deadline_id"), "deadline_changes", ["deadline_id"], unique=False)
    op.create_table(
        "reminders",
        sa.Column("deadline_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["deadline_id"], ["deadlines.id"], name=op.f("fk_reminders_deadline_id")),
        sa.PrimaryKeyConstraint("deadline_id", "kind", name=op.f("pk_reminders")),
    )


def downgrade() -> None:
    op.drop_table("reminders")
    op.drop_index(op.f("ix_deadline_changes_deadline_id"), table_name="deadline_changes")
    op.drop_table("deadline_changes")
    op.drop_index(
        "ix_verification_requests_unsent",
        table_name="verification_requests",
        sqlite_where=sa.text("sent_at IS NULL AND refusal IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL AND refusal IS NULL"),
    )
    op.drop_table("verification_requests")
    op.drop_index(op.f("ix_supplements_case_no"), table_name="supplements")
    op.drop_table("supplements")
    op.drop_table("step_records")
    op.drop_index(op.f("ix_staff_tasks_case_no"), table_name="staff_tasks")
    op.drop_table("staff_tasks")
    op.drop_index(
        "ix_outgoing_notices_queued",
        table_name="outgoing_notices",
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.drop_index(op.f("ix_outgoing_notices_case_no"), table_name="outgoing_notices")
    op.drop_table("outgoing_notices")
    op.drop_index(op.f("ix_objections_lead_case_no"), table_name="objections")
    op.drop_index("ix_objections_certificate_key_field_key", table_name="objections")
    op.drop_table("objections")
    op.drop_index(op.f("ix_handovers_case_no"), table_name="handovers")
    op.drop_table("handovers")
    op.drop_index(
        "ix_deadlines_running",
        table_name="deadlines",
        sqlite_where=sa.text("met_on IS NULL AND lapsed_on IS NULL"),
        postgresql_where=sa.text("met_on IS NULL AND lapsed_on IS NULL"),
    )
    op.drop_table("deadlines")
    op.drop_index(op.f("ix_attachments_case_no"), table_name="attachments")
    op.drop_table("attachments")
    op.drop_index(
        "uq_answers_accepted",
        table_name="answers",
        sqlite_where=sa.text("refusal IS NULL"),
        postgresql_where=sa.text("refusal IS NULL"),
    )
    op.drop_index(op.f("ix_answers_case_no"), table_name="answers")
    op.drop_table("answers")
    op.drop_table("spent_codes")
    op.drop_table("published_years")
    op.drop_index(op.f("ix_leaves_staff_no"), table_name="leaves")
    op.drop_table("leaves")
    op.drop_index("ix_certificates_type_code_number_index", table_name="certificates")
    op.drop_index(op.f("ix_certificates_root"), table_name="certificates")
    op.drop_index(op.f("ix_certificates_holder_index"), table_name="certificates")
    op.drop_table("certificates")
    op.drop_index(
        "ix_cases_open",
        table_name="cases",
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.drop_index(op.f("ix_cases_flow_run_id"), table_name="cases")
    op.drop_table("cases")
    op.drop_table("officers")
    op.drop_index(op.f("ix_nonces_expires_at"), table_name="nonces")
    op.drop_table("nonces")
    op.drop_table("gateway_secrets")
    op.drop_table("departments")
    op.drop_table("certificate_types")
    op.drop_table("case_counters")
    op.drop_index("ix_audit_entries_tag_at", table_name="audit_entries")
    op.drop_index(op.f("ix_audit_entries_case_no"), table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_table("applications")
