"""A document of which one block cannot be spoken: the rest is heard, and the block says why."""

import json
from pathlib import Path

import httpx
import pytest

from lectern.cli.main import main
from lectern_contract import PAUSES, SILENCE_BEFORE, SILENCE_BEHIND
from tests.integration import documents
from tests.integration.audio import decode
from tests.integration.listening import is_state, socket_listener
from tests.stack import Stack

GOOD = "Here is a sentence of some length that everybody can say."
REFUSED = "Here is an unspeakable sentence that the picky voice does refuse."
FAILING = "Here is a disastrous sentence at which the picky voice does fail."
PICKY = {"model": "hum", "voice": "picky"}
FLAC = {**PICKY, "response_format": "flac"}
RATE = 24_000
PAUSE = PAUSES["heading"] - SILENCE_BEFORE - SILENCE_BEHIND  # seconds behind the first block that can be spoken


def made(api: httpx.Client, *texts: str) -> tuple[str, list[str]]:
    """The address of a document with a block for each text, and the ids of these."""
    document = documents.make(api, "\n\n".join(f"# {text}" for text in texts))
    blocks = documents.blocks(api, document["id"])
    assert [block["shown"] for block in blocks] == list(texts)
    return f"/api/v1/documents/{document['id']}", [block["id"] for block in blocks]


def samples(answer: httpx.Response) -> int:
    assert answer.status_code == 200, answer.text
    return len(decode(answer.content)[0])


def length(*texts: str) -> int:
    return sum(len(text) for text in texts) * RATE // 10


@pytest.mark.parametrize("loudness", [{}, {"loudness": "-16"}])
@pytest.mark.parametrize("texts", [(REFUSED, GOOD, GOOD + "."), (GOOD, REFUSED, GOOD + "."), (GOOD, REFUSED)])
def test_a_refused_block_is_left_out_of_the_documents_audio(
    api: httpx.Client, texts: tuple[str, ...], loudness: dict[str, str]
) -> None:
    path, _ = made(api, *texts)
    spoken = [block["spoken"] for block in api.get(f"{path}/blocks").json()["items"]]
    expected = length(*(text for text in spoken if "unspeakable" not in text)) + round(PAUSE * RATE)
    assert samples(api.get(f"{path}/audio", params={**FLAC, **loudness})) == expected


@pytest.mark.parametrize("caption_format", ["json", "srt", "vtt"])
def test_captions_go_with_that_audio(api: httpx.Client, caption_format: str) -> None:
    path, (first, _, last) = made(api, GOOD, REFUSED, GOOD + ".")
    answer = api.get(f"{path}/captions", params={**PICKY, "caption_format": caption_format})
    assert answer.status_code == 200
    assert "unspeakable" not in answer.text
    if caption_format == "json":
        assert {word["block"] for word in answer.json()["words"]} == {first, last}
        assert answer.json()["duration"] * RATE == samples(api.get(f"{path}/audio", params=FLAC))


def test_the_block_itself_says_why(api: httpx.Client) -> None:
    path, (_, refused) = made(api, GOOD, REFUSED)
    answer = api.get(f"{path}/blocks/{refused}/audio", params=PICKY)
    assert answer.status_code == 400
    assert "cannot say 'unspeakable'" in answer.json()["detail"]
    assert api.head(f"{path}/blocks/{refused}/audio", params=PICKY).status_code == 400


def test_if_every_block_is_refused_that_is_the_answer(api: httpx.Client) -> None:
    path, _ = made(api, REFUSED, REFUSED + ".")
    for address in ("audio", "captions"):
        answer = api.get(f"{path}/{address}", params=PICKY)
        assert answer.status_code == 400
        assert "cannot say 'unspeakable'" in answer.json()["detail"]


def test_a_model_that_fails_breaks_the_answer_unless_that_is_to_be_skipped(api: httpx.Client) -> None:
    path, _ = made(api, FAILING, GOOD)
    assert api.get(f"{path}/audio", params=FLAC).status_code == 502
    assert api.get(f"{path}/captions", params=PICKY).status_code == 502
    assert samples(api.get(f"{path}/audio", params={**FLAC, "skip": "failed"})) > 0
    answer = api.get(f"{path}/captions", params={**PICKY, "skip": "failed"})
    assert "disastrous" not in [word["word"] for word in answer.raise_for_status().json()["words"]]
    assert api.get(f"{path}/audio", params={**FLAC, "skip": "all"}).status_code == 400


def test_a_text_is_never_shortened(api: httpx.Client) -> None:
    body = {**PICKY, "input": f"{GOOD * 6} {REFUSED} {GOOD * 6}", "response_format": "wav"}
    with api.stream("POST", "/v1/audio/speech", json=body) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()


def test_playback_goes_on_behind_a_block_that_is_refused(stack: Stack, api: httpx.Client) -> None:
    path, (first, refused, last) = made(api, GOOD, REFUSED, GOOD + ".")
    with socket_listener(stack.url, stack.api_key, path.rpartition("/")[2], voice="picky") as player:
        player.ready(last)
        assert "ready" in player.states(first)
        failed = is_state(refused, "failed")
        error = (next(filter(failed, player.heard), None) or player.until(failed))["error"]
        assert (error["status"], "cannot say 'unspeakable'" in error["detail"]) == (400, True)


@pytest.fixture
def _at_the_stack(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LECTERN_URL", stack.url)
    monkeypatch.setenv("LECTERN_API_KEY", stack.api_key)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_at_the_stack")
@pytest.mark.parametrize(
    ("text", "reason"),
    [(REFUSED, "The model refused this: hum: this voice cannot say 'unspeakable'"), (FAILING, "502")],
)
def test_the_command_line_names_the_block_and_reads_the_rest(
    capsys: pytest.CaptureFixture[str], text: str, reason: str
) -> None:
    Path("book.md").write_text(f"# {GOOD}\n\n# {text}\n\n# {GOOD}.\n")
    arguments = ["read", "book.md", "-o", "book.flac", "--captions", "book.json", "--model", "hum", "--voice", "picky"]
    assert main(arguments) == 3
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith(f'lectern: block 2 ("{text[:40]}')
    assert reason in told[0]
    assert told[1:] == ["lectern: 1 of 3 blocks could not be spoken"]
    samples, rate = decode(Path("book.flac").read_bytes())
    assert json.loads(Path("book.json").read_text())["duration"] == pytest.approx(len(samples) / rate, abs=0.001)
    assert len(samples) / rate == pytest.approx(len(f"{GOOD}{GOOD}.") / 10 + PAUSE, abs=0.01)


@pytest.mark.usefixtures("_at_the_stack")
def test_a_book_of_which_nothing_can_be_spoken_is_no_book(capsys: pytest.CaptureFixture[str]) -> None:
    Path("book.md").write_text(f"# {REFUSED}\n\n# {REFUSED}.\n")
    assert main(["read", "book.md", "-o", "book.flac", "--model", "hum", "--voice", "picky"]) == 1
    assert "cannot say 'unspeakable'" in capsys.readouterr().err
    assert not Path("book.flac").exists()
