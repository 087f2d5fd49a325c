import wave
from pathlib import Path

import numpy as np
import pytest

from lectern_triton.vllm_omni_backend.configuration import ConfigurationError
from lectern_triton.vllm_omni_backend.presets import find_preset, read_presets
from lectern_triton.voice_backend.voice import BadRequest

WHOLE = """\
transcript = "What is said."
language = "en-GB"
gender = "female"
description = "calm"
licence = "CC0-1.0"
source = "https://example.org/recording"
"""


def write(folder: Path, name: str, about: str | None = WHOLE, *, channels: int = 1, width: int = 2) -> Path:
    preset = folder / name
    preset.mkdir(parents=True)
    if about is not None:
        (preset / "voice.toml").write_text(about)
    with wave.open(str(preset / "audio.wav"), "wb") as audio:
        audio.setnchannels(channels)
        audio.setsampwidth(width)
        audio.setframerate(16_000)
        audio.writeframes(np.arange(8, dtype="<i2").tobytes())
    return preset


def test_presets_are_read_by_name(tmp_path: Path) -> None:
    write(tmp_path, "second")
    write(tmp_path, "first", 'transcript = "Hm."')
    (tmp_path / "README.md").touch()
    found = read_presets(tmp_path)
    assert list(found) == ["first", "second"]
    about = found["second"].about
    assert (about.transcript, about.language, about.gender) == ("What is said.", "en-GB", "female")
    assert (about.licence, about.source) == ("CC0-1.0", "https://example.org/recording")
    reference = found["second"].reference
    assert (reference.audio.tolist(), reference.rate, reference.text) == (list(range(8)), 16_000, "What is said.")


def test_channels_are_mixed(tmp_path: Path) -> None:
    write(tmp_path, "stereo", channels=2)
    assert read_presets(tmp_path)["stereo"].reference.audio.tolist() == [0, 2, 4, 6]


def test_no_folder_is_no_presets(tmp_path: Path) -> None:
    assert read_presets(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        (None, "has no voice.toml"),
        ('language = "en"', "transcript"),
        ('transcript = "a"\ngender = "robot"', "gender"),
        ('transcript = "a"\nlicense = "CC0"', "unknown field `license`"),
        ("transcript = ", "voice.toml"),
    ],
)
def test_what_is_wrong_with_a_preset_is_said(tmp_path: Path, about: str | None, reason: str) -> None:
    write(tmp_path, "wrong", about)
    with pytest.raises(ConfigurationError, match=rf"wrong.*{reason}|{reason}.*wrong"):
        read_presets(tmp_path)


def test_audio_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    preset = write(tmp_path, "wrong", width=1)
    with pytest.raises(ConfigurationError, match="8 bits a sample: it must have 16"):
        read_presets(tmp_path)
    (preset / "audio.wav").write_bytes(b"ID3 is no RIFF")
    with pytest.raises(ConfigurationError, match=r"wrong/audio\.wav is not a WAV file"):
        read_presets(tmp_path)
    (preset / "audio.wav").unlink()
    with pytest.raises(ConfigurationError, match=r"wrong has no audio\.wav"):
        read_presets(tmp_path)


def test_a_preset_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    write(tmp_path, "one")
    with pytest.raises(BadRequest, match="no preset 'two': one"):
        find_preset(read_presets(tmp_path), "two")
    with pytest.raises(BadRequest, match="send reference_audio"):
        find_preset({}, "two")
