"""What a text asks for is heard: numbers as words, a pronunciation, a mix of voices, a pause, and no markup."""

from pathlib import Path

import numpy as np
import pytest

from lectern import Client
from tests.ears.conftest import Studio
from tests.ears.listener import Listener
from tests.ears.pauses import pauses
from tests.ears.pitch import median_pitch
from tests.ears.recording import LANGUAGE, MODEL, VOICE, Recording
from tests.ears.texts import DOCUMENT, MIX, NUMBERS, Text
from tests.ears.transcript import compare_words, contains

BANANA = "bənˈænə"


@pytest.mark.parametrize("text", NUMBERS, ids=lambda text: text.name)
def test_a_number_is_read_as_people_read_it(studio: Studio, listener: Listener, text: Text) -> None:
    heard = listener.transcript(studio.record(text.name, text.spoken))
    assert contains(heard, text.heard), heard


def test_markup_says_how_a_word_is_pronounced(studio: Studio, listener: Listener) -> None:
    text = f"She bought a yellow [Lectern](/{BANANA}/) at the market and ate it."
    assert contains(listener.transcript(studio.record("markup", text, markup=True)), "a yellow banana at the market")


def test_a_lexicon_says_how_a_word_is_pronounced(studio: Studio, listener: Listener) -> None:
    recording = studio.record("lexicon", "She bought a yellow lectern at the market.", lexicon={"lectern": BANANA})
    assert contains(listener.transcript(recording), "a yellow banana at the market")


def test_a_pause_is_as_long_as_it_is_asked_for(studio: Studio, listener: Listener) -> None:
    recording = studio.record("pause", "The door opened. [pause:2s] Nobody came in.", markup=True)
    longest = max(pauses(recording), key=lambda pause: pause.end - pause.start)
    assert longest.end - longest.start == pytest.approx(2, abs=0.15)
    assert compare_words("pause", "The door opened. Nobody came in.", listener.transcript(recording)).errors == 0


def test_a_mix_is_understood_and_lies_between_its_voices(studio: Studio, listener: Listener) -> None:
    high, low = (studio.record(f"{MIX.name}-{voice}", MIX.spoken, voice=voice) for voice in ("jf_alpha", "jm_kumo"))
    mix = studio.record(MIX.name, MIX.spoken, voice={"jf_alpha": 1, "jm_kumo": 1})
    assert median_pitch(low) * 1.1 < median_pitch(mix) < median_pitch(high) / 1.1
    comparison = compare_words(MIX.name, MIX.heard, listener.transcript(mix))
    assert comparison.errors <= 1, comparison


def test_a_document_is_read_without_its_signs(client: Client, listener: Listener, sounds: Path) -> None:
    document = client.wait_until_ready(client.create_document(DOCUMENT.spoken).id)
    chunks = client.stream_document_audio(document.id, voice=VOICE, model=MODEL, language=LANGUAGE, audio_format="pcm")
    recording = Recording(np.frombuffer(b"".join(chunks), "<i2"))
    recording.save(sounds / f"{DOCUMENT.name}.wav")
    comparison = compare_words(DOCUMENT.name, DOCUMENT.heard, listener.transcript(recording))
    assert comparison.errors <= 0.08 * comparison.count, comparison
