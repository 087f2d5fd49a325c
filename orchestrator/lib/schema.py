"""The one base of every request and response body."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from orchestrator.lib.errors.problems import FieldError


class Schema(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Unknown fields are refused: a misspelt option must not be ignored in silence."""

    @classmethod
    def objections(cls, given: Mapping[str, Any]) -> Iterable[FieldError]:  # noqa: ARG003
        """What is wrong with ``given``: values of the right types by field, others may be missing.

        Messages go on from the field's name, without a full stop.
        """
        return ()
