"""How each operation fails, in the API's description. Litestar describes its own errors, which are never sent."""

from typing import Final

from litestar.openapi.spec import OpenAPI, OpenAPIMediaType, OpenAPIResponse, Reference, Schema
from litestar.openapi.spec.enums import OpenAPIType

_TEXT: Final = Schema(type=OpenAPIType.STRING)
_PROBLEM: Final = Schema(
    type=OpenAPIType.OBJECT,
    description="RFC 9457 problem details.",
    required=["type", "title", "status", "detail", "instance", "request_id"],
    properties={
        **dict.fromkeys(("type", "title", "detail", "instance", "request_id"), _TEXT),
        "status": Schema(type=OpenAPIType.INTEGER),
        "errors": Schema(
            type=OpenAPIType.ARRAY,
            items=Schema(type=OpenAPIType.OBJECT, properties={"field": _TEXT, "message": _TEXT}),
        ),
    },
)
_OPENAI_ERROR: Final = Schema(
    type=OpenAPIType.OBJECT,
    description="OpenAI's error shape.",
    required=["error"],
    properties={
        "error": Schema(
            type=OpenAPIType.OBJECT,
            required=["message", "type", "param", "code"],
            properties={
                **dict.fromkeys(("message", "type", "code"), _TEXT),
                "param": Schema(type=[OpenAPIType.STRING, OpenAPIType.NULL]),
            },
        )
    },
)


def describe_errors(api: OpenAPI) -> None:
    """Also says of every object that it has no other fields, as `lib.schema` sees to."""
    components = api.components
    components.schemas = {**(components.schemas or {}), "Problem": _PROBLEM, "OpenAiError": _OPENAI_ERROR}
    for schema in components.schemas.values():
        if isinstance(schema, Schema) and schema.type == OpenAPIType.OBJECT:
            schema.additional_properties = False
    for path, item in (api.paths or {}).items():
        media_type, name = (
            ("application/json", "OpenAiError") if path.startswith("/v1/") else ("application/problem+json", "Problem")
        )
        content = {media_type: OpenAPIMediaType(schema=Reference(ref=f"#/components/schemas/{name}"))}
        for operation in (item.get, item.post, item.put, item.patch, item.delete, item.head):
            if operation is not None and operation.responses is not None:
                operation.responses.pop("400", None)
                operation.responses["4XX"] = OpenAPIResponse(description="The request is refused", content=content)
                operation.responses["5XX"] = OpenAPIResponse(description="It cannot be done now", content=content)
