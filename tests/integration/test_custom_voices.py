"""Custom voices: their whole life over REST, and that nobody but the owner can see or use them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest

from tests.covers import flac_with_tags
from tests.integration import documents
from tests.integration.accounts import other_account
from tests.integration.audio import decode
from tests.integration.custom_voices import MODEL, TEXT, form, heard, speak, speak_from_store, upload, voice
from tests.integration.servers import web_server
from tests.processes import running, wait_until_gone
from tests.recordings import CONSENT, TRANSCRIPT, file, pitch, silence, tone
from tests.stack import Stack

TEMPLATE = "orchestrator.lib.sandbox.template"
MIX = {"af_heart": 2, "ef_dora": 1}


@pytest.fixture
def stranger(stack: Stack) -> Iterator[httpx.Client]:
    """Another account."""
    with other_account(stack) as client:
        yield client


def listed(api: httpx.Client, **query: str) -> list[dict[str, Any]]:
    return list(api.get("/api/v1/voices", params=query).raise_for_status().json()["items"])


def test_a_whole_life(api: httpx.Client, stranger: httpx.Client) -> None:
    with voice(api, 330, name="Grandma's  Voice", language="en-GB", description="Warm") as made:
        path = f"/api/v1/voices/{made['id']}"
        assert (made["name"], made["slug"], made["kind"], made["model"]) == (
            "Grandma's Voice",
            "grandma-s-voice",
            "prompt",
            MODEL,
        )
        prompt = made["prompt"]
        assert prompt["transcript"] == TRANSCRIPT
        assert prompt["seconds"] == pytest.approx(5, abs=0.1)
        assert (prompt["consent"]["speaker"], prompt["consent"]["statement"]) == ("Ada Lovelace", CONSENT)
        assert api.get(path).json() == made
        (entry,) = [one for one in listed(api, model=MODEL) if one["id"] == made["id"]]
        assert (entry["slug"], entry["kind"], entry["language"]) == (made["slug"], "prompt", "en-GB")

        preview = api.get(made["preview"])
        assert preview.headers["content-type"] == "audio/mpeg"
        assert heard(preview) == pytest.approx(330, abs=3)
        assert heard(speak(api, made["slug"])) == pytest.approx(330, abs=3)

        document = documents.make(api, "One block.\n\nAnd another one.")
        audio = f"/api/v1/documents/{document['id']}/audio"
        spoken = api.get(audio, params={"voice": made["slug"], "response_format": "wav"})
        assert heard(spoken) == pytest.approx(330, abs=3)

        recording = api.get(f"{path}/prompt")
        assert recording.headers["content-type"] == "audio/flac"
        assert pitch(*decode(recording.content)) == pytest.approx(330, abs=1)
        assert decode(recording.content)[1] == 24_000

        for answer in (
            stranger.get(path),
            stranger.get(made["preview"]),
            stranger.get(f"{path}/prompt"),
            stranger.patch(path, json={"name": "Mine"}),
            stranger.delete(path),
            stranger.delete(f"/v1/audio/voices/{made['id']}"),
            speak(stranger, made["id"]),
            speak(stranger, {"id": made["id"]}),
        ):
            assert answer.status_code == 404, answer.text
        assert speak(stranger, made["slug"]).status_code == 400
        assert made["id"] not in {one["id"] for one in listed(stranger)}

        assert api.delete(path).status_code == 204
        for answer in (api.get(path), api.get(f"{path}/prompt"), api.get(made["preview"]), speak(api, made["id"])):
            assert answer.status_code == 404
        assert speak(api, made["slug"]).status_code == 400
        assert made["id"] not in {one["id"] for one in listed(api)}
        api.delete(f"/api/v1/documents/{document['id']}")


def test_two_recordings_are_two_voices_and_the_same_is_the_same(api: httpx.Client) -> None:
    with voice(api, 250) as low, voice(api, 500) as high, voice(api, 250) as again:
        pitches = [heard(speak(api, one["id"])) for one in (low, high, again)]
        assert pitches == pytest.approx([250, 500, 250], abs=3)
        assert low["prompt"]["digest"] == again["prompt"]["digest"] != high["prompt"]["digest"]
        first = speak(api, low["slug"], "Something nobody has said before.")
        assert "x-lectern-cost" not in first.headers
        second = speak_from_store(api, again["slug"], "Something nobody has said before.")
        assert np.array_equal(decode(first.content)[0], decode(second.content)[0])


def test_a_voice_is_named_in_every_way_there_is(api: httpx.Client) -> None:
    with voice(api, 350, name="Many Ways") as made:
        for name in (made["id"], made["slug"], made["name"], {"id": made["id"]}, {"id": made["slug"]}):
            assert heard(speak(api, name)) == pytest.approx(350, abs=3)
        assert heard(speak(api, made["id"], model=MODEL)) == pytest.approx(350, abs=3)
        assert heard(speak(api, made["id"], model="tts-1")) == pytest.approx(350, abs=3)
        wrong = speak(api, made["id"], model="hum")
        assert wrong.status_code == 400
        assert MODEL in wrong.json()["error"]["message"]


def test_everything_that_takes_a_voice_takes_a_custom_voice(api: httpx.Client) -> None:
    with voice(api, 400) as made:
        turns = [{"voice": made["slug"], "text": TEXT}, {"voice": {"id": made["id"]}, "text": TEXT, "speed": 2}]
        assert heard(speak(api, None, "", turns=turns)) == pytest.approx(400, abs=3)
        marked = speak(api, None, f"[voice:{made['slug']}] {TEXT}", dialogue=True)
        assert heard(marked) == pytest.approx(400, abs=3)
        captions = api.post("/v1/audio/captions", json={"input": TEXT, "voice": made["slug"]})
        assert captions.json()["duration"] > 1
        document = documents.make(api, TEXT)
        path = f"/api/v1/documents/{document['id']}"
        (block,) = documents.blocks(api, document["id"])
        query = {"voice": made["id"], "response_format": "wav"}
        assert api.head(f"{path}/blocks/{block['id']}/audio", params=query).status_code == 200
        assert heard(api.get(f"{path}/blocks/{block['id']}/audio", params=query)) == pytest.approx(400, abs=3)
        assert api.get(f"{path}/captions", params={"voice": made["slug"]}).status_code == 200
        with api.stream("GET", f"{path}/playback", params={**query, "block": block["id"]}) as playback:
            said = next(line for line in playback.iter_lines() if '"ready"' in line)
        assert "/api/v1/audio/" in said
        preview = api.get("/v1/audio/voices/preview", params={"voice": made["id"]})
        assert heard(preview) == pytest.approx(400, abs=3)
        api.delete(path)


def test_everything_that_is_wrong_is_told_at_once(api: httpx.Client) -> None:
    answer = upload(
        api, file(np.clip(tone(seconds=1, rate=8_000, level=3), -1, 1), rate=8_000),
        name="!?", consent="yes", speaker=" ", language="english please",
    )  # fmt: skip
    assert answer.status_code == 400
    problem = answer.json()
    told = {(one["field"], word) for one in problem["errors"] for word in one["message"].split()}
    for field, word in [
        ("audio", "8,000"), ("audio", "seconds"), ("audio", "clipped:"), ("name", "letter"), ("consent", "statement."),
        ("speaker", "empty."), ("language", "BCP"), ("transcript", "long"),
    ]:  # fmt: skip
        assert any(one == field and word.strip(".") in other for one, other in told), (field, word, problem)
    assert all(one["message"] in problem["detail"] for one in problem["errors"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": None}, "name"),
        ({"transcript": None}, "transcript"),
        ({"consent": None}, "consent"),
        ({"colour": "red"}, "colour"),
        ({"model": "espeak"}, "model"),
        ({"model": "nobody"}, "model"),
        ({"name": "af_heart"}, "name"),
        ({"name": "Alloy"}, "name"),
        ({"name": str(uuid4())}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "bell\x07"}, "name"),
        ({"transcript": "word " * 400}, "transcript"),
    ],
)
def test_a_field_that_cannot_be_is_named(api: httpx.Client, changes: dict[str, Any], field: str) -> None:
    answer = upload(api, **changes)
    assert answer.status_code == 400, answer.text
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_what_is_no_form_or_no_file_is_the_senders_mistake(api: httpx.Client) -> None:
    boundary = "multipart/form-data; boundary=b"
    part = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n%s\r\n%s\r\n'
    for content_type, body in [
        ("application/json", b"{}"),
        ("multipart/form-data", b"--b--"),
        (boundary, b""),
        (boundary, b"nothing of a form"),
        (boundary, part % (b"audio", b"", file(tone())) + b"--b--\r\n"),
        (boundary, part % (b"name", b"Content-Type: text/plain; charset=klingon\r\n", b"Ada") + b"--b--\r\n"),
        (boundary, part % (b"name", b"", b"Ada")),
    ]:
        answer = api.post("/api/v1/voices", content=body, headers={"content-type": content_type})
        assert answer.status_code == 400, (content_type, body[:80], answer.text)
        assert answer.json()["detail"]
    text = api.post("/api/v1/voices", data={**form(), "audio": "a text"})
    assert text.status_code == 400
    twice = api.post("/api/v1/voices", data=form(), files=[("audio", ("a.wav", file(tone()))) for _ in range(2)])
    assert twice.status_code == 400


def test_a_name_is_taken_once_for_each_model_and_account(api: httpx.Client, stranger: httpx.Client) -> None:
    with voice(api, name="Taken Once"):
        again = upload(api, name="taken  once")
        assert again.status_code == 409
        assert "taken-once" in again.json()["detail"]
        with voice(stranger, 500, name="Taken Once"):
            assert heard(speak(api, "taken-once")) == pytest.approx(300, abs=3)
            assert heard(speak(stranger, "taken-once")) == pytest.approx(500, abs=3)
        mix = {"name": "Taken Once", "mix": MIX, "model": "kokoro"}
        other = api.post("/api/v1/voices/mixes", json=mix)
        assert other.status_code == 201, other.text
        ambiguous = speak(api, "taken-once")
        assert ambiguous.status_code == 400
        assert other.json()["id"] in ambiguous.json()["error"]["message"]
        assert heard(speak(api, "taken-once", model=MODEL)) == pytest.approx(300, abs=3)
        api.delete(f"/api/v1/voices/{other.json()['id']}")


def test_a_mix_is_kept_under_a_name(api: httpx.Client, stranger: httpx.Client) -> None:
    made = api.post("/api/v1/voices/mixes", json={"name": "Half and Half", "mix": MIX, "description": "Two"}).json()
    try:
        assert (made["kind"], made["model"], made["language"], made["prompt"]) == ("mix", "kokoro", "en-US", None)
        assert made["mix"] == MIX
        spelled = speak(api, "af_heart(2)+ef_dora(1)")
        assert np.array_equal(decode(speak(api, "half-and-half").content)[0], decode(spelled.content)[0])
        assert len(decode(api.get(made["preview"]).content)[0]) > 1_000
        assert api.get(f"/api/v1/voices/{made['id']}/prompt").status_code == 404
        assert stranger.get(f"/api/v1/voices/{made['id']}").status_code == 404
        refused = api.patch(f"/api/v1/voices/{made['id']}", json={"transcript": "Words"})
        assert refused.status_code == 400
    finally:
        assert api.delete(f"/api/v1/voices/{made['id']}").status_code == 204


@pytest.mark.parametrize("mix", [{}, {"nobody": 1}, {"af_heart": 0}, {"af_heart": 1e9}, {"af heart": 1}, {"": 1}])
def test_what_is_no_mix_is_refused(api: httpx.Client, mix: dict[str, float]) -> None:
    answer = api.post("/api/v1/voices/mixes", json={"name": "No mix", "mix": mix, "model": "kokoro"})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == ["mix"]


def test_what_is_said_of_a_voice_can_be_changed(api: httpx.Client) -> None:
    with voice(api, name="Before", description="old") as made:
        path = f"/api/v1/voices/{made['id']}"
        changed = api.patch(path, json={"name": "After All", "description": "", "language": "de"}).json()
        assert (changed["name"], changed["slug"], changed["description"], changed["language"]) == (
            "After All",
            "after-all",
            "",
            "de",
        )
        assert changed["prompt"] == made["prompt"]
        assert speak(api, "before").status_code == 400
        assert heard(speak(api, "after-all")) == pytest.approx(300, abs=3)
        spoken = TRANSCRIPT.replace("kettle", "small kettle")
        assert api.patch(path, json={"transcript": spoken}).json()["prompt"]["transcript"] == spoken
        wrong = api.patch(path, json={"transcript": "No.", "name": "af_heart", "language": "?"})
        assert {error["field"] for error in wrong.json()["errors"]} == {"transcript", "name", "language"}
        assert api.patch(path, json={}).status_code == 400
        with voice(api, name="Neighbour"):
            assert api.patch(path, json={"name": "Neighbour"}).status_code == 409


def test_a_transcript_is_part_of_what_is_heard(api: httpx.Client) -> None:
    with voice(api, 310) as made:
        speak(api, made["id"], "Said once by this voice.")
        speak_from_store(api, made["id"], "Said once by this voice.")
        api.patch(f"/api/v1/voices/{made['id']}", json={"transcript": TRANSCRIPT + " Quietly."})
        assert "x-lectern-cost" not in speak(api, made["id"], "Said once by this voice.").headers


def test_who_listens_when_a_voice_is_deleted_hears_it_to_the_end(api: httpx.Client) -> None:
    text = " ".join(f"Sentence number {number} is about as long as the others." for number in range(16))
    slowly = "{delay=0.02}"  # which the fake engine obeys: five times as fast as it is heard
    with voice(api, 320) as made:
        request = {"input": text, "voice": made["id"], "response_format": "wav", "instructions": slowly}
        with api.stream("POST", "/v1/audio/speech", json=request) as answer:
            chunks = answer.iter_raw()
            begun = [next(chunks)]
            assert api.delete(f"/api/v1/voices/{made['id']}").status_code == 204
            samples, rate = decode(b"".join([*begun, *chunks]))
        assert len(samples) / rate == pytest.approx(len(text) / 10, rel=0.2)
        assert pitch(samples[-rate:], rate) == pytest.approx(320, abs=3)


def test_a_preview_that_failed_is_told_where_it_is_asked_for(api: httpx.Client) -> None:
    mix = {"name": "Klingon", "mix": MIX, "language": "tlh"}  # which the model does not speak
    made = api.post("/api/v1/voices/mixes", json=mix).json()
    answer = api.get(made["preview"])
    assert answer.status_code == 400
    assert "tlh" in answer.json()["detail"]
    assert api.patch(f"/api/v1/voices/{made['id']}", json={"language": "en"}).status_code == 200
    assert api.get(made["preview"]).status_code == 200
    api.delete(f"/api/v1/voices/{made['id']}")


def test_limits_are_settings(stack: Stack, tmp_path: Path) -> None:
    limits = {
        "LECTERN_VOICES_PER_ACCOUNT": "1", "LECTERN_PROMPT_MAX_BYTES": "300000", "LECTERN_PROMPT_MIN_SECONDS": "1",
        "LECTERN_PROMPT_MEMORY": "0",
    }  # fmt: skip
    with (
        web_server(stack, tmp_path / "web.log", **limits) as url,
        other_account(stack, url) as api,
        voice(api, 280, transcript="Word for word, it is five seconds of this.") as made,
    ):
        assert heard(speak(api, made["id"])) == pytest.approx(280, abs=3)
        full = upload(api)
        assert full.status_code == 409
        assert "1 custom voices" in full.json()["detail"]
        assert api.delete(f"/api/v1/voices/{made['id']}").status_code == 204
        large = upload(api, file(tone(seconds=10)))
        assert large.status_code == 400
        assert "300,000 bytes" in large.json()["detail"]
        assert upload(api, bytes(2 << 20)).status_code == 413
        with voice(api, transcript="Five seconds, about that: not more than these."):
            pass


@pytest.mark.anyio
async def test_who_leaves_ends_what_reads_the_upload(stack: Stack, api: httpx.Client) -> None:
    """The file takes ten seconds of a processor, which is its limit, if nobody ends it before."""
    slow = flac_with_tags(200_000, file(tone(), container="flac", codec="flac"))
    (template,) = [one for one in running(stack.process.pid) if one.arguments[1:3] == ("-m", TEMPLATE)]
    async with httpx.AsyncClient(base_url=api.base_url, headers=api.headers, timeout=60, trust_env=False) as client:
        sending = asyncio.ensure_future(
            client.post("/api/v1/voices", data=form(name="Left"), files={"audio": ("left.flac", slow)})
        )
        while len(at_work := running(template.pid)) < 2:  # a keeper, and the process that reads the file
            await asyncio.sleep(0.02)
            assert not sending.done()
        sending.cancel()
        await asyncio.wait([sending])
    wait_until_gone(at_work, limit=5)
    with voice(api, name="Stayed"):
        pass


def test_silence_around_a_recording_is_cut_off(api: httpx.Client) -> None:
    padded = np.concatenate([silence(3), tone(300), silence(3)])
    answer = upload(api, file(padded))
    assert answer.json()["prompt"]["seconds"] == pytest.approx(5.2, abs=0.1)
    api.delete(f"/api/v1/voices/{answer.json()['id']}")
