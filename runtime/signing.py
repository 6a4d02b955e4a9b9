"""How requests to and from this system are signed: HMAC-SHA256 over what must not be changed or replayed."""

import hashlib
import hmac

KEY, TIME, NONCE, SIGNATURE = "X-EZT-Key", "X-EZT-Time", "X-EZT-Nonce", "X-EZT-Signature"


def sign(secret: str, method: str, path_with_query: str, time_ms: int, nonce: str, body: bytes) -> str:
    """The signature as 64 hex digits; ``time_ms`` is milliseconds since 1970, the body goes in by its SHA-256.

    >>> sign("s", "POST", "/api/v1/objections", 1700000000000, "n-1", b"{}")[:16]
    'f61300d8f7b4158f'
    """
    parts = (method.upper(), path_with_query, str(time_ms), nonce, hashlib.sha256(body).hexdigest())
    return hmac.new(secret.encode(), "\n".join(parts).encode(), hashlib.sha256).hexdigest()
