"""The web application. The body of `create_app` is the table of contents."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar
from litestar._kwargs import KwargsModel
from litestar.datastructures import State
from litestar.di import Provide
from litestar.routes import HTTPRoute, WebSocketRoute
from litestar.types import ASGIApp, Scope

from orchestrator.accounts.authentication import key_authentication
from orchestrator.accounts.requester import Requester
from orchestrator.documents.controllers import DocumentController
from orchestrator.health.controllers import healthz, readyz
from orchestrator.jobs.controllers import JobController
from orchestrator.lib.access_log import AccessLog
from orchestrator.lib.errors.problem_details import answer_exception
from orchestrator.lib.errors.websocket import WebSocketProblems, note_problem
from orchestrator.lib.json_body import JsonRequest
from orchestrator.lib.metrics import metrics_page
from orchestrator.lib.openapi import describe_errors, docs_asset, openapi_config
from orchestrator.lib.query_parameters import QueryParameters
from orchestrator.lib.response_headers import ResponseHeaders
from orchestrator.playback.controllers import PlaybackController
from orchestrator.runtime import open_runtime
from orchestrator.services import Services, open_services
from orchestrator.settings import Settings
from orchestrator.speech.audio_controllers import audio_router, get_custom_voice_preview
from orchestrator.speech.document_audio_controllers import DocumentAudioController
from orchestrator.speech.openai_controllers import OpenAiController
from orchestrator.speech.response.openapi import describe_speech
from orchestrator.voices.controllers import CustomVoiceController, upload_router


def web_app(settings: Settings) -> ASGIApp:
    """Returns the application within the layers that also see what no route takes."""
    layers = WebSocketProblems(create_app(settings))
    return AccessLog(ResponseHeaders(layers, settings.server.allowed_origins()))


def create_app(settings: Settings) -> Litestar:
    state = State({"settings": settings})
    app = Litestar(
        route_handlers=[
            OpenAiController,
            DocumentController,
            DocumentAudioController,
            audio_router,
            PlaybackController,
            JobController,
            upload_router(settings.voices),
            CustomVoiceController,
            get_custom_voice_preview,
            healthz,
            readyz,
            metrics_page,
            docs_asset,
        ],
        lifespan=[_lifespan],
        middleware=[key_authentication(), QueryParameters],
        dependencies=_dependencies(state),
        exception_handlers={Exception: answer_exception},
        after_exception=[note_problem],
        openapi_config=openapi_config(),
        request_class=JsonRequest,
        request_max_body_size=settings.server.max_body_bytes,
        state=state,
        logging_config=None,
    )
    _resolve_in_turn(app)
    describe_speech(app.openapi_schema)
    describe_errors(app.openapi_schema)
    return app


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    async with open_runtime(app.state.settings) as runtime:
        app.state.services = open_services(runtime)
        yield


def _dependencies(state: State) -> dict[str, Provide]:
    """What a route may ask for by name."""

    def requester(scope: Scope) -> Requester:
        return scope["user"]  # type: ignore[no-any-return]

    def chosen_settings() -> Settings:
        return state.settings  # type: ignore[no-any-return]

    def service(name: str) -> Provide:
        def one_service() -> Any:  # noqa: ANN401 - the field's own type
            return getattr(state.services, name)

        return Provide(one_service, sync_to_thread=False)

    return {
        "requester": Provide(requester, sync_to_thread=False),
        "settings": Provide(chosen_settings, sync_to_thread=False),
        **{name: service(name) for name in Services.__struct_fields__},
    }


def _resolve_in_turn(app: Litestar) -> None:
    """Litestar starts a task for each dependency of a route, which costs far more than those that wait for nothing."""
    for route in app.routes:
        models: list[KwargsModel | None] = []
        if isinstance(route, HTTPRoute):
            models = [model for _, model in route.route_handler_map.values()]
        elif isinstance(route, WebSocketRoute):
            models = [route.handler_parameter_model]
        for model in models:
            if model is not None:
                model.dependency_batches = [{one} for batch in model.dependency_batches for one in batch]
