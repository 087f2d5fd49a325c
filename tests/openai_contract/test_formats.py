"""Every format is what it is called, by a real decoder's judgement."""

import io
from typing import Final

import av
import numpy as np
import pytest

from tests.integration.audio import decode
from tests.openai_contract.server import Server

MEDIA_TYPES: Final = {
    "mp3": {"audio/mpeg", "audio/mp3"},
    "opus": {"audio/ogg", "audio/opus"},
    "aac": {"audio/aac", "audio/aacp"},
    "flac": {"audio/flac", "audio/x-flac"},
    "wav": {"audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"},
    "pcm": {"audio/pcm", "audio/l16", "application/octet-stream"},
}
CODECS: Final = {
    "mp3": {"mp3", "mp3float"},
    "opus": {"opus", "libopus"},
    "aac": {"aac"},
    "flac": {"flac"},
    "wav": {"pcm_s16le"},
}
PCM_RATE: Final = 24_000


def seconds(server: Server, response_format: str) -> float:
    samples, rate = decode(server.heard(response_format=response_format).content)
    return len(samples) / rate


@pytest.mark.parametrize("response_format", CODECS)
def test_a_format_is_decoded_as_what_it_is(server: Server, response_format: str) -> None:
    answer = server.heard(response_format=response_format)
    with av.open(io.BytesIO(answer.content), "r") as container:
        assert container.streams.audio[0].codec_context.name in CODECS[response_format]
    samples, rate = decode(answer.content)
    assert 2 < len(samples) / rate < 20
    assert np.abs(samples.astype(int)).max() > 1_000, "as good as silent"


@pytest.mark.parametrize("response_format", MEDIA_TYPES)
def test_a_format_says_its_media_type(server: Server, response_format: str) -> None:
    media_type = server.heard(response_format=response_format).headers["content-type"].partition(";")[0].lower()
    assert media_type in MEDIA_TYPES[response_format]


def test_pcm_is_mono_int16_at_24_khz(server: Server) -> None:
    samples = np.frombuffer(server.heard(response_format="pcm").content, "<i2")
    assert len(samples) / PCM_RATE == pytest.approx(seconds(server, "wav"), rel=0.25)
    assert np.abs(samples.astype(int)).max() > 1_000


def test_without_a_format_it_is_mp3(server: Server) -> None:
    answer = server.heard()
    assert answer.headers["content-type"].partition(";")[0].lower() in MEDIA_TYPES["mp3"]
    with av.open(io.BytesIO(answer.content), "r") as container:
        assert container.streams.audio[0].codec_context.name in CODECS["mp3"]
