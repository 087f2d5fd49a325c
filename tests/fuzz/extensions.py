"""What schemathesis is taught about this API; it imports this file by the name in SCHEMATHESIS_HOOKS."""

from typing import Any

import schemathesis

from tests.fuzz.files import files
from tests.fuzz.texts import texts
from tests.integration.audio import decode

DECODED = ("audio/wav", "audio/flac", "audio/ogg", "audio/mpeg", "audio/aac")

schemathesis.openapi.format("nasty", texts())
schemathesis.openapi.format("binary", files())


@schemathesis.check
def audio_can_be_played(
    ctx: schemathesis.CheckContext,  # noqa: ARG001 - the order of arguments is the library's
    response: schemathesis.Response,
    case: schemathesis.Case[Any],
) -> None:
    """A decoder reads each answer that says it is audio, to its end."""
    content_type = response.headers.get("content-type", [""])[0].partition(";")[0]
    if case.method == "GET" and response.status_code == 200 and content_type in DECODED:
        decode(response.content)
