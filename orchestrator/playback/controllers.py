from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, get, put, websocket
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK

from orchestrator.accounts.requester import Requester
from orchestrator.lib.errors.problems import bad_field
from orchestrator.lib.errors.websocket import chosen_protocol
from orchestrator.lib.rate_limit import RateLimit
from orchestrator.lib.streaming import begin
from orchestrator.playback import positions
from orchestrator.playback.player import PlaybackOptions, Player
from orchestrator.playback.position_updates import PositionUpdates
from orchestrator.playback.positions import PositionSaver
from orchestrator.playback.schemas import MOST_SECONDS, SESSION_NAME, NewPosition, Position, PositionView
from orchestrator.playback.transports import EVENT_STREAM, Socket, serve_events, serve_socket
from orchestrator.settings import Settings
from orchestrator.speech.audio_options import AudioOptions, audio_options

_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}  # the second keeps nginx from buffering the events


async def begin_position(
    block: Annotated[UUID | None, QueryParameter(description="Where to begin; else where you were before.")] = None,
    seconds: Annotated[float | None, QueryParameter(description="Seconds into that block.")] = None,
) -> Position | None:
    if seconds is not None and not 0 <= seconds <= MOST_SECONDS:
        raise bad_field("seconds", f"must be from 0 to {MOST_SECONDS}", where="query")
    if block is None and seconds is not None:
        raise bad_field("seconds", "is of use only with 'block': send that too, or neither", where="query")
    return Position(block, seconds or 0.0) if block is not None else None


Window = Annotated[
    float | None, QueryParameter(description="Seconds of audio to be made ahead; else the server's choice.")
]


class PlaybackController(Controller):
    path = "/api/v1/documents/{document_id:uuid}"
    tags = ("Playback",)
    dependencies = {  # noqa: RUF012 - Litestar's own pattern
        "audio_options": Provide(audio_options, sync_to_thread=False),
        "begin_position": Provide(begin_position),
    }

    @websocket("/playback/socket")
    async def play_over_socket(
        self,
        socket: Socket,
        document_id: FromPath[UUID],
        requester: NamedDependency[Requester],
        player: NamedDependency[Player],
        settings: NamedDependency[Settings],
        audio_options: NamedDependency[AudioOptions],
        begin_position: NamedDependency[Position | None],
        window: Window = None,
    ) -> None:
        """See docs/playback.md: OpenAPI has no WebSockets."""
        options = PlaybackOptions(
            audio_options=audio_options, query=socket.query_params, window=window, begin=begin_position
        )
        async with player.opened(requester, document_id, options, "socket") as session:
            await socket.accept(subprotocols=chosen_protocol(socket.scope))
            rate_limit = RateLimit(settings.playback.messages_per_second)
            await serve_socket(socket, session, PositionSaver(requester, document_id), rate_limit)

    @get(
        "/playback",
        summary="Play a document: what becomes of its blocks, as events",
        description="Blocks are made ahead of the position; PUT it as it changes. docs/playback.md has the messages.",
        media_type=EVENT_STREAM,
        status_code=HTTP_200_OK,
    )
    async def play(
        self,
        request: Request[Any, Any, Any],
        document_id: FromPath[UUID],
        requester: NamedDependency[Requester],
        player: NamedDependency[Player],
        audio_options: NamedDependency[AudioOptions],
        begin_position: NamedDependency[Position | None],
        window: Window = None,
        session: Annotated[
            str | None,
            QueryParameter(pattern=SESSION_NAME, description="A name by which this playback alone can be moved."),
        ] = None,
    ) -> Stream:
        options = PlaybackOptions(
            audio_options=audio_options, query=request.query_params, window=window, begin=begin_position, name=session
        )
        return await begin(
            request, serve_events(player.opened(requester, document_id, options, "events")), EVENT_STREAM, _HEADERS
        )

    @put("/position", summary="Say where you are in a document; moves its playback", status_code=HTTP_200_OK)
    async def put_position(
        self,
        document_id: FromPath[UUID],
        data: JSONBody[NewPosition],
        requester: NamedDependency[Requester],
        position_updates: NamedDependency[PositionUpdates],
    ) -> PositionView:
        return await position_updates.publish(requester, document_id, data)

    @get("/position", summary="Where you are in a document")
    async def get_position(self, document_id: FromPath[UUID], requester: NamedDependency[Requester]) -> PositionView:
        return await positions.required(requester, document_id)
