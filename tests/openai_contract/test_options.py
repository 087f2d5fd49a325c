import pytest

from tests.integration.audio import decode
from tests.openai_contract.server import Server


def seconds(server: Server, **fields: object) -> float:
    samples, rate = decode(server.heard(response_format="wav", **fields).content)
    return len(samples) / rate


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_speed_changes_the_length(server: Server, speed: float) -> None:
    assert seconds(server, speed=speed) / seconds(server) == pytest.approx(1 / speed, rel=0.35)


@pytest.mark.parametrize("speed", [0.25, 1, 4.0])
def test_the_limits_of_speed_are_within(server: Server, speed: float) -> None:
    assert seconds(server, speed=speed) > 0.2


def test_instructions_are_accepted(server: Server) -> None:
    assert seconds(server, instructions="Speak slowly, as to a child.") > 2


def test_a_voice_may_be_an_object(server: Server) -> None:
    assert seconds(server, voice={"id": server.voice}) == pytest.approx(seconds(server), rel=0.25)


def test_text_may_be_in_any_script(server: Server) -> None:
    assert server.heard(input="Grüße, 你好, Привет! 👋🏽 — “quoted”").content
