"""The one base of every request and response body."""

import msgspec


class Schema(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Unknown fields are refused: a misspelt option must not be ignored in silence."""
