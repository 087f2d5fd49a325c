"""API keys: random enough that a plain digest keeps them safe, so that checking one costs no slow hash."""

import hashlib
import secrets

PREFIX = "lectern_"  # lets secret scanners and people recognise one


def new_key() -> str:
    """256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
