"""Encoders in threads, dropped half way, and fed what they should refuse."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from orchestrator.audio.decoding import UnreadableAudioError, decode
from orchestrator.audio.encoding import Encoder, encode_whole
from orchestrator.audio.formats import AUDIO_FORMATS, AudioFormat
from orchestrator.audio.pcm import samples_from_bytes
from tests.unit.audio.sounds import voice

RATE = 22_050
SOUND = voice(9_000, RATE)


# In a process of its own: in one that has long run, the heap grows and shrinks for many other reasons.
GROWTH_OF_ROUNDS = """
import gc, sys
from pathlib import Path
from orchestrator.audio.encoding import Encoder
from tests.unit.audio.sounds import voice

audio_format, keep, sound = sys.argv[1], sys.argv[2] == "keep", voice(9_000, 22_050)
kept = []

def resident_kilobytes():
    return 4 * int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])

for _ in range(6):
    before = resident_kilobytes()
    for _ in range(50):
        encoder = Encoder(audio_format, 22_050)
        encoder.feed(sound)
        if keep:
            kept.append(encoder)
    gc.collect()
    print(resident_kilobytes() - before)
"""


def smallest_growth(audio_format: AudioFormat, fate: Literal["keep", "drop"]) -> int:
    """In kB. What leaks grows in every round of 50 encoders, while a heap that settles or breaks up grows in some."""
    run = subprocess.run(
        [sys.executable, "-c", GROWTH_OF_ROUNDS, audio_format, fate],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
        timeout=60,
    )
    return min(map(int, run.stdout.split()))


@pytest.mark.parametrize("audio_format", AUDIO_FORMATS)
def test_abandoned_encoders_free_their_memory(audio_format: AudioFormat) -> None:
    assert smallest_growth(audio_format, "drop") < 500, "10 kB for each encoder that was dropped"


def test_encoders_that_stay_are_seen_in_the_memory() -> None:
    assert smallest_growth("opus", "keep") > 1_000


@pytest.mark.parametrize("audio_format", AUDIO_FORMATS)
def test_an_encoder_starts_no_threads(audio_format: AudioFormat) -> None:
    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    before = threads()
    encoder = Encoder(audio_format, RATE)
    encoder.feed(SOUND)
    assert threads() == before
    encoder.finish()


def test_threads_do_not_disturb_each_other() -> None:
    sounds = [voice(20_000, RATE, seed) for seed in range(6)]
    jobs = [(sound, audio_format) for sound in sounds for audio_format in AUDIO_FORMATS]
    alone = [encode_whole(sound, audio_format, RATE) for sound, audio_format in jobs]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda job: encode_whole(job[0], job[1], RATE), jobs))
    assert together == alone


def test_an_encoder_may_move_between_threads() -> None:
    encoder = Encoder("opus", RATE)
    parts = []
    for chunk in np.split(SOUND, 9):
        with ThreadPoolExecutor(1) as thread:
            parts.append(thread.submit(encoder.feed, chunk).result())
    parts.append(encoder.finish())
    assert b"".join(parts) == encode_whole(SOUND, "opus", RATE)


@pytest.mark.parametrize("audio_format", AUDIO_FORMATS)
def test_samples_that_cannot_be_written_to_are_welcome(audio_format: AudioFormat) -> None:
    read_only = np.frombuffer(SOUND.tobytes(), np.int16)
    assert encode_whole(read_only, audio_format, RATE) == encode_whole(SOUND, audio_format, RATE)
    every_other = np.repeat(SOUND, 2)[::2]
    assert encode_whole(every_other, audio_format, RATE) == encode_whole(SOUND, audio_format, RATE)


@pytest.mark.parametrize("wrong", [SOUND / 32_768, SOUND.reshape(2, -1), SOUND.astype(np.int32)])
def test_anything_but_a_row_of_int16_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="one row of int16"):
        Encoder("wav", RATE).feed(wrong)
    with pytest.raises(TypeError, match="one row of int16"):
        encode_whole(wrong, "wav", RATE)


@pytest.mark.parametrize("rate", [0, -1, 4_000, 1_000_000])
def test_an_impossible_rate_is_refused(rate: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        Encoder("wav", rate)


@pytest.mark.parametrize("fed", [8_999, 9_001])
def test_an_announced_length_is_kept_to(fed: int) -> None:
    encoder = Encoder("mp3", RATE, total_samples=9_000)

    def feed_and_finish() -> None:
        encoder.feed(voice(fed, RATE))
        encoder.finish()

    with pytest.raises(ValueError, match="9000 samples were announced"):
        feed_and_finish()


def test_only_one_rate_can_announce_its_length() -> None:
    with pytest.raises(ValueError, match="one sample rate"):
        Encoder("wav", RATE, total_samples=9_000).feed(SOUND, 24_000)


@pytest.mark.parametrize("data", [b"", b"no audio", encode_whole(SOUND, "flac", RATE)[:20]])
def test_what_holds_no_audio_is_an_error(data: bytes) -> None:
    with pytest.raises(UnreadableAudioError):
        decode(data)


def test_half_a_sample_is_an_error() -> None:
    with pytest.raises(ValueError, match="3 bytes"):
        samples_from_bytes(b"\x00\x01\x02")
