"""The web application. The body of `create_app` is the table of contents."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import Provide

from orchestrator.accounts.authentication import key_authentication
from orchestrator.documents.controllers import DocumentController
from orchestrator.health.controllers import healthz, readyz
from orchestrator.lib.json_body import JsonRequest
from orchestrator.lib.metrics import metrics_page
from orchestrator.lib.openapi import docs_asset, openapi_config
from orchestrator.lib.openapi_errors import describe_errors
from orchestrator.lib.problem_details import answer_exception
from orchestrator.lib.query_parameters import refuse_unknown
from orchestrator.services import Services, running
from orchestrator.settings import Settings
from orchestrator.speech.controllers import DocumentAudioController, OpenAiController
from orchestrator.voices.controllers import VoiceController


def create_app(settings: Settings) -> Litestar:
    app = Litestar(
        route_handlers=[
            OpenAiController,
            DocumentController,
            DocumentAudioController,
            VoiceController,
            healthz,
            readyz,
            metrics_page,
            docs_asset,
        ],
        lifespan=[_lifespan],
        middleware=[key_authentication(settings.accounts)],
        guards=[refuse_unknown],
        dependencies=_dependencies(),
        exception_handlers={Exception: answer_exception},
        openapi_config=openapi_config(),
        request_class=JsonRequest,
        request_max_body_size=settings.server.max_body_bytes,
        state=State({"settings": settings}),
        logging_config=None,
    )
    describe_errors(app.openapi_schema)
    return app


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    async with running(app.state.settings) as services:
        app.state.services = services
        yield


def _dependencies() -> dict[str, Provide]:
    """What a route may ask for by name."""

    def account(request: Request[UUID, Any, Any]) -> UUID:
        return request.user

    def chosen_settings(state: State) -> Settings:
        return state.settings  # type: ignore[no-any-return]

    def service(name: str) -> Provide:
        def one_service(state: State) -> Any:  # noqa: ANN401 - the field's own type
            return getattr(state.services, name)

        return Provide(one_service, sync_to_thread=False)

    return {
        "account": Provide(account, sync_to_thread=False),
        "settings": Provide(chosen_settings, sync_to_thread=False),
        **{name: service(name) for name in Services.__struct_fields__},
    }
