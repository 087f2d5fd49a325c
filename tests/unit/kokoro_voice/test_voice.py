"""The voice over models that are scripted: what it asks of them, in which order, and what it makes of the answers."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kokoro_voice.voice import Voice
from lectern_triton.voice_backend.audio_checks import Implausible
from lectern_triton.voice_backend.voice import BadRequest, Chunk, Segment, Settings, Tensors, Unavailable

SECONDS = 10.0


class Models:
    """G2P that takes each word for a sentence and each letter for a phoneme, and an acoustic model that hums."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.failure: Exception | None = None
        self.hold: threading.Event | None = None
        self.silent = False
        self.markup: list[bool] = []
        self.refuses = False

    def call(self, model: str, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        if model == "kokoro_g2p":
            self.markup.append(bool(inputs["markup"][0]))
            return {"sentence": np.array([self._sentence(inputs)], np.object_)}
        assert model == "kokoro_acoustic"
        assert set(outputs) == {"waveform", "sample_lengths", "durations"}
        self.asked.append({name: value.copy() for name, value in inputs.items()})
        if self.hold is not None:
            self.hold.wait(SECONDS)
        if self.failure is not None:
            raise self.failure
        length = int(inputs["input_lengths"][0, 0])
        if self.refuses:  # as the graph does, which has no other way to say it
            nothing = np.zeros((1, 1_000), np.int16), np.zeros((1, 1), np.int64), np.zeros_like(inputs["input_ids"])
            return dict(zip(("waveform", "sample_lengths", "durations"), nothing, strict=True))
        durations = np.zeros(inputs["input_ids"].shape, np.int64)
        durations[0, :length] = 3
        samples = np.zeros((1, length * 3 * 600 + 1_000), np.int16)
        if not self.silent:
            samples[0, : length * 3 * 600] = 5_000
        return {"waveform": samples, "sample_lengths": np.array([[length * 3 * 600]]), "durations": durations}

    @staticmethod
    def _sentence(inputs: Tensors) -> bytes:
        text, start = inputs["text"][0].decode(), int(inputs["start"][0])
        end = text.find(" ", start)
        word = text[start:] if end < 0 else text[start:end]
        sentence = {
            "phonemes": word, "ids": [1] * len(word), "words": [[0, len(word), start, start + len(word)]],
            "breaks": [], "end": None if end < 0 else "sentence", "pause": None, "next": None if end < 0 else end + 1,
        }  # fmt: skip
        return json.dumps(sentence).encode()


@pytest.fixture
def models() -> Models:
    return Models()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "voices").mkdir()
    for name in ("af_heart", "bf_emma"):
        np.full((510, 256), len(name), "<f4").tofile(tmp_path / "voices" / f"{name}.bin")
    (tmp_path / "card.json").write_text('{"version": "abc", "precision": "fp32", "weights": "tiny"}')
    (tmp_path / "1").mkdir()
    return tmp_path


def voice(folder: Path, models: Models, **parameters: str) -> Voice:
    return Voice(Settings(folder / "1", parameters, models))


def spoken(one: Voice, text: str, stop: threading.Event | None = None, **more: Any) -> list[Chunk]:
    return list(one.speak(Segment(text, more.pop("voice", {}), **more), stop or threading.Event()))


def test_sentences_come_in_order_with_all_marks(folder: Path, models: Models) -> None:
    chunks = spoken(voice(folder, models), "one two three four five six")
    assert [mark[2:] for chunk in chunks for mark in chunk.marks] == [
        (0, 3),
        (4, 7),
        (8, 13),
        (14, 18),
        (19, 23),
        (24, 27),
    ]
    assert len(models.asked) == 6


def test_tokens_are_padded_to_few_widths_and_begin_and_end_with_zero(folder: Path, models: Models) -> None:
    spoken(voice(folder, models, in_flight="1"), f"a {'b' * 30} {'c' * 31} {'d' * 500}")
    widths = [inputs["input_ids"].shape for inputs in models.asked]
    assert widths == [(1, 32), (1, 32), (1, 64), (1, 512)]
    tokens = models.asked[1]["input_ids"][0]
    assert tokens[0] == tokens[31] == 0
    assert (tokens[1:31] == 1).all()
    assert models.asked[1]["input_lengths"].tolist() == [[32]]


def test_the_same_request_gets_the_same_noise(folder: Path, models: Models) -> None:
    one = voice(folder, models, in_flight="1")
    spoken(one, "hello")
    spoken(one, "hello")
    spoken(one, "hello", voice={"voice": "bf_emma"})
    spoken(one, "hi")
    offsets = [int(inputs["noise_offset"][0, 0]) for inputs in models.asked]
    assert offsets[0] == offsets[1]
    assert len(set(offsets)) == len(offsets) - 1
    assert all(0 <= offset < 65_536 for offset in offsets)


def test_no_more_sentences_are_made_ahead_than_wanted(folder: Path, models: Models) -> None:
    models.hold = threading.Event()
    stop = threading.Event()
    chunks = voice(folder, models, lookahead="2", in_flight="8").speak(Segment("a b c d e f g", {}), stop)
    reader = threading.Thread(target=lambda: list(chunks), daemon=True)
    reader.start()
    try:
        reader.join(0.3)
        assert len(models.asked) == 2
    finally:
        models.hold.set()
        reader.join(SECONDS)
    assert len(models.asked) == 7


def test_being_told_to_stop_ends_it_though_the_model_is_busy(folder: Path, models: Models) -> None:
    models.hold, stop = threading.Event(), threading.Event()
    chunks = voice(folder, models).speak(Segment("hello there", {}), stop)
    reader = threading.Thread(target=lambda: list(chunks), daemon=True)
    reader.start()
    stop.set()
    reader.join(SECONDS)
    assert not reader.is_alive()
    models.hold.set()


@pytest.mark.parametrize("failure", [BadRequest("change it"), Unavailable("later"), RuntimeError("broken")])
def test_what_the_model_says_is_passed_on(folder: Path, models: Models, failure: Exception) -> None:
    models.failure = failure
    with pytest.raises(type(failure), match=str(failure)):
        spoken(voice(folder, models), "hello")


def test_silence_is_no_speech(folder: Path, models: Models) -> None:
    models.silent = True
    with pytest.raises(RuntimeError, match="silence"):
        spoken(voice(folder, models), "hello")


def test_a_sentence_that_the_model_refuses_is_no_speech(folder: Path, models: Models) -> None:
    models.refuses = True
    with pytest.raises(RuntimeError, match="beyond the model's limits"):
        spoken(voice(folder, models), "hello")


def test_a_sentence_that_is_too_long_is_not_sent(folder: Path, models: Models) -> None:
    with pytest.raises(RuntimeError, match="at most 510 phonemes at a time, and not 511"):
        spoken(voice(folder, models), "a" * 511)
    assert not models.asked


def test_a_text_of_which_letters_are_left_out_is_an_error(
    folder: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Models._sentence
    monkeypatch.setattr(models, "_sentence", lambda inputs: whole(inputs).replace(b"[[0, 5, 0, 5]]", b"[[0, 5, 0, 2]]"))
    with pytest.raises(Implausible, match="llo"):
        spoken(voice(folder, models), "hello")


def test_markup_is_no_word_only_where_it_is_asked_for(
    folder: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"phonemes": "two", "ids": [1, 1, 1], "words": [[0, 3, 1, 4]], "next": None}
    answer |= {"breaks": [], "end": None, "pause": None}
    monkeypatch.setattr(models, "_sentence", lambda _: json.dumps(answer).encode())
    assert spoken(voice(folder, models), "[two](/tu/)", markup=True)
    with pytest.raises(Implausible, match="tu/"):
        spoken(voice(folder, models), "[two](/tu/)")
    assert models.markup == [True, False]


def test_the_card_has_the_version_that_was_installed(folder: Path, models: Models) -> None:
    card = voice(folder, models).card()
    assert (card["version"], card["mixes"], card["markup"], card["default_voice"]) == ("abc", True, True, "af_heart")
    assert [entry["name"] for entry in card["voices"]] == ["af_heart", "bf_emma"]
