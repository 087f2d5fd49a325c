"""Custom voices by the official openai client: created, heard and deleted, blocking and asynchronous."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import openai
import pytest

from tests.integration.audio import decode
from tests.integration.custom_voices import MODEL, TEXT
from tests.recordings import CONSENT, TRANSCRIPT, file, pitch, tone
from tests.stack import Stack

Call = Callable[[Callable[[Any], Any]], Any]


def blocking(stack: Stack) -> Call:
    client = openai.OpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0)
    return lambda ask: ask(client)


def asynchronous(stack: Stack) -> Call:
    """Each call has a client and a loop of its own, as connections do not pass from one loop to another."""

    def call(ask: Callable[[Any], Any]) -> Any:
        async def run() -> Any:
            options: dict[str, Any] = {"base_url": f"{stack.url}/v1", "api_key": stack.api_key, "max_retries": 0}
            async with openai.AsyncOpenAI(**options) as client:
                return await ask(client)

        return asyncio.run(run())

    return call


@pytest.fixture(params=[blocking, asynchronous])
def call(request: pytest.FixtureRequest, stack: Stack) -> Call:
    return request.param(stack)  # type: ignore[no-any-return]


def new(**changes: Any) -> dict[str, Any]:
    sample = ("ada.flac", file(tone(360), container="flac", codec="flac"), "audio/flac")
    name = f"Ada {uuid4().hex[:8]}"
    extra = {"transcript": TRANSCRIPT, "model": MODEL}
    return {"audio_sample": sample, "consent": CONSENT, "name": name, "extra_body": extra, **changes}


def test_a_voice_is_made_heard_and_deleted(call: Call) -> None:
    fields = new()
    made = call(lambda client: client.audio.voices.create(**fields))
    assert (made.name, made.object, made.type) == (fields["name"], "audio.voice", "audio_sample")
    assert made.created_at > 1_700_000_000
    said = {"model": "tts-1", "voice": {"id": made.id}, "input": TEXT, "response_format": "wav"}
    spoken = call(lambda client: client.audio.speech.create(**said))
    assert pitch(*decode(spoken.content)) == pytest.approx(360, abs=3)
    gone = call(lambda client: client.audio.voices.delete(made.id))
    assert (gone.id, gone.deleted, gone.object) == (made.id, True, "audio.voice.deleted")
    with pytest.raises(openai.NotFoundError):
        call(lambda client: client.audio.voices.delete(made.id))
    with pytest.raises(openai.NotFoundError):
        call(lambda client: client.audio.speech.create(**said))


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"consent": "cons_1234"}, "consent"),
        ({"extra_body": {}}, "transcript"),
        ({"audio_sample": ("ada.txt", b"no audio at all", "text/plain")}, "audio_sample"),
    ],
)
def test_what_cannot_be_is_the_clients_own_error(call: Call, changes: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        call(lambda client: client.audio.voices.create(**new(**changes)))
    assert raised.value.param == param


def test_a_voice_described_in_words_is_refused(call: Call) -> None:
    with pytest.raises(openai.BadRequestError):
        call(lambda client: client.audio.voices.create(type="prompt", name="Ada", prompt="A warm old voice."))


def test_a_models_voice_cannot_be_deleted(call: Call) -> None:
    with pytest.raises(openai.NotFoundError, match="has an id"):
        call(lambda client: client.audio.voices.delete("af_heart"))
