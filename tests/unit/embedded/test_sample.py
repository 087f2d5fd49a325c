import asyncio
import wave
from pathlib import Path

import numpy as np
import pytest

from orchestrator.embedded.errors import CannotStart
from orchestrator.embedded.sample import check_sound, decode


def sound(path: Path, seconds: float, amplitude: int = 10_000, rate: int = 22_050) -> Path:
    time = np.arange(int(seconds * rate)) / rate
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((amplitude * np.sin(2 * np.pi * 220 * time)).astype("<i2").tobytes())
    return path


def test_a_file_is_measured_by_decoding_it(tmp_path: Path) -> None:
    found = decode(sound(tmp_path / "sound.wav", 2.5))
    assert found.seconds == pytest.approx(2.5, abs=0.001)
    assert found.peak == pytest.approx(10_000, abs=10)


def test_the_sound_that_was_promised_passes(tmp_path: Path) -> None:
    assert asyncio.run(check_sound(sound(tmp_path / "sound.wav", 30), 30.4)).seconds == pytest.approx(30, abs=0.01)


@pytest.mark.parametrize("promised", [20.0, 40.0])
def test_less_or_more_than_was_promised_is_refused(tmp_path: Path, promised: float) -> None:
    with pytest.raises(CannotStart, match=rf"decodes to 30\.0 s, and {promised} s were promised"):
        asyncio.run(check_sound(sound(tmp_path / "sound.wav", 30), promised))


def test_silence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="is silent"):
        asyncio.run(check_sound(sound(tmp_path / "sound.wav", 30, amplitude=10), 30))


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.opus").write_text("not a sound")
    with pytest.raises(CannotStart, match="cannot be decoded"):
        asyncio.run(check_sound(tmp_path / "text.opus", 30))
