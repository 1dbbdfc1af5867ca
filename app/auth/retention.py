"""Retention rules of the auth tables."""

from datetime import timedelta

from sqlalchemy import exists

from app.auth.tables import AuditRow, PasswordResetRow, RefreshTokenRow, SessionRow, UserRow
from app.core.database.retention import WITH_ACCOUNT, ExpiryRule, KeepRule, Rule

ENDED_SESSIONS = timedelta(days=1)
UNUSED_SESSIONS = timedelta(days=30)

RULES: tuple[Rule, ...] = (
    KeepRule(UserRow, WITH_ACCOUNT),
    ExpiryRule(SessionRow, "ended sessions, with their refresh tokens", SessionRow.revoked_at, ENDED_SESSIONS),
    ExpiryRule(RefreshTokenRow, "refresh tokens that have expired", RefreshTokenRow.expires_at, timedelta(0)),
    ExpiryRule(
        SessionRow,
        "sessions without a refresh token",
        SessionRow.last_used_at,
        UNUSED_SESSIONS,
        (~exists().where(RefreshTokenRow.session_id == SessionRow.id),),
    ),
    ExpiryRule(PasswordResetRow, "password resets that have expired", PasswordResetRow.expires_at, timedelta(0)),
    KeepRule(
        AuditRow,
        "never: it is evidence that outlives accounts, and triggers refuse a deletion. An entry names people by id "
        "alone; what is personal in it is the network address that an action came from",
    ),
)
