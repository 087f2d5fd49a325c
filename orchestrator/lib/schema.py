"""The base of every request and response body."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from orchestrator.lib.errors.problems import FieldError


class Schema(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Refuses unknown fields: a misspelt option must not be ignored in silence."""

    @classmethod
    def objections(cls, given: Mapping[str, Any]) -> Iterable[FieldError]:  # noqa: ARG003
        """Returns what is wrong with ``given``, which has the fields of the right types; others may be missing.

        A message continues the field's name, without a full stop.
        """
        return ()
