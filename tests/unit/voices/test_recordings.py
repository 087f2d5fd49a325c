"""Which recordings are valid prompts, and that the problems of the others say what to do."""

import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from orchestrator.voices.custom.field_validation import transcript_problem
from orchestrator.voices.custom.recording_decoder import UnusableRecordingError, decode_recording
from orchestrator.voices.custom.recording_validation import RATE, validate
from orchestrator.voices.settings import VoiceSettings
from tests import covers
from tests.fuzz.files import files
from tests.recordings import TRANSCRIPT, Sound, file, pitch, silence, tone, with_subtitles

LIMITS = VoiceSettings()


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("wav", "pcm_s16le", 24_000),
        ("wav", "pcm_s24le", 48_000),
        ("wav", "pcm_f32le", 44_100),
        ("wav", "pcm_u8", 16_000),
        ("flac", "flac", 96_000),
        ("mp3", "libmp3lame", 44_100),
        ("ogg", "libopus", 48_000),
        ("ogg", "flac", 44_100),
        ("mp4", "aac", 48_000),
        ("adts", "aac", 44_100),
        ("webm", "libopus", 48_000),
        ("matroska", "flac", 48_000),
        ("aiff", "pcm_s16be", 44_100),
    ],
)
def test_usual_recordings_are_accepted(container: str, codec: str, rate: int) -> None:
    recording = validate(file(tone(300, rate=rate), rate=rate, container=container, codec=codec), LIMITS)
    assert recording.problems == []
    assert recording.samples.dtype == np.int16
    assert recording.seconds == pytest.approx(5, abs=0.1)
    assert len(recording.samples) / RATE == pytest.approx(recording.seconds, abs=0.001)
    assert pitch(recording.samples, RATE) == pytest.approx(300, abs=2)


def test_stereo_becomes_mono_by_the_mean_of_both() -> None:
    both = np.stack([tone(300), tone(700)])
    recording = validate(file(both), LIMITS)
    alone = validate(file((both[0] + both[1]) / 2), LIMITS)
    assert recording.problems == []
    assert np.abs(recording.samples.astype(int) - alone.samples).max() <= 2


def test_silence_around_it_is_cut_off_and_not_counted() -> None:
    sound = np.concatenate([silence(20), tone(seconds=4), silence(20)])
    recording = validate(file(sound), LIMITS)
    assert recording.problems == []
    assert recording.seconds == pytest.approx(4.2, abs=0.05)
    assert np.abs(recording.samples[: RATE // 20].astype(int)).max() == 0  # a margin, so that no sound is cut into


def test_the_same_recording_gives_the_same_samples() -> None:
    once, again = (validate(file(tone(rate=44_100), rate=44_100), LIMITS).samples for _ in range(2))
    assert np.array_equal(once, again)


def clipped() -> Sound:
    return np.clip(tone(level=2.0), -1, 1)


@pytest.mark.parametrize(
    ("sound", "rate", "told"),
    [
        (tone(seconds=2), 24_000, "has 2.0 seconds"),
        (tone(seconds=31), 24_000, "has 31.0 seconds"),
        (tone(seconds=70), 24_000, "is longer than 60 seconds"),
        (tone(level=0.003), 24_000, "is too quiet: -54 LUFS"),
        (clipped(), 24_000, "is clipped"),
        (tone(rate=8_000), 8_000, "sample rate of 8,000 Hz"),
        (np.concatenate([tone(seconds=1), silence(6), tone(seconds=1)]), 24_000, "too many pauses: 75%"),
    ],
    ids=["short", "long", "endless", "quiet", "clipped", "telephone", "pauses"],
)
def test_each_problem_says_what_to_do(sound: Sound, rate: int, told: str) -> None:
    (problem,) = validate(file(sound, rate=rate), LIMITS).problems
    assert told in problem
    assert problem.endswith(".")
    assert problem.count(". ") >= 1 or "; " in problem  # what to do about it


def test_a_peak_at_full_scale_is_not_clipping() -> None:
    sound = tone()
    sound[::2_400] = 1.0
    assert validate(file(sound), LIMITS).problems == []


def test_all_problems_come_at_once() -> None:
    problems = validate(file(np.clip(tone(seconds=1, rate=8_000, level=3), -1, 1), rate=8_000), LIMITS).problems
    assert [word for word in ("1.0 seconds", "8,000 Hz", "clipped") if word in " ".join(problems)] == [
        "1.0 seconds",
        "8,000 Hz",
        "clipped",
    ]


def playlist() -> bytes:
    return b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"


def wav_that_lies() -> bytes:
    """A header that says four thousand million bytes come, with 192,000 Hz in 60,000 channels."""
    form = struct.pack("<HHIIHH", 1, 60_000, 192_000, 4_000_000_000, 65_535, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 0xFFFF_FFF0)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data\xff\xff\xff\xff"
        + bytes(100)
    )


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no audio"),
        (b"hello, this is text. " * 50, "no audio"),
        (bytes(100_000), "no audio"),
        (playlist(), "no audio"),
        (b"ffconcat version 1.0\nfile secret.wav\n", "no audio"),
        (wav_that_lies(), "damaged"),
        (file(tone())[:20] + b"\x99\x99" + file(tone())[22:], "something unknown"),
        (file(tone())[:40], "damaged"),
        (file(tone(), tone(400), container="matroska"), "2 audio streams"),
        (file(container="matroska", video="mpeg4"), "video"),
        (file(tone(), container="matroska", video="mpeg4"), "video"),
        (with_subtitles(), "subtitles"),
        (file(*[tone(seconds=0.1)] * 20, container="matroska"), "20 streams"),
        (file(*[tone(seconds=0.1)] * 100, container="matroska"), "64 streams"),
        (file(tone(), container="matroska", codec="alac"), "alac"),
        (file(tone(), container="wv", codec="wavpack"), "no audio"),
        (file(silence(5)), "silent"),
        (file(tone(level=0.0003)), "silent"),
    ],
    ids=[
        "empty", "text", "zeros", "playlist", "concat", "lies", "strange codec", "cut", "two streams",
        "film without sound", "film", "subtitles", "many streams", "very many streams", "codec",
        "format", "silence", "nearly silence",
    ],
)  # fmt: skip
def test_what_is_no_recording_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(UnusableRecordingError, match=told):
        validate(data, LIMITS)


MEASURED = """
import sys
from pathlib import Path
from orchestrator.audio.decoding import decode
from orchestrator.voices.settings import VoiceSettings
from orchestrator.voices.custom.recording_decoder import decode_recording
plain, covered = (open(name, "rb").read() for name in sys.argv[2:])
opened = {"upload": lambda data: decode_recording(data, VoiceSettings()), "cached": decode}[sys.argv[1]]
def peak():  # what getrusage says begins with the parent's
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
opened(plain)
before = peak()
opened(covered)
print(peak() - before)
"""


@pytest.mark.parametrize("opened", ["upload", "cached"])
@pytest.mark.parametrize("kind", covers.WAYS)
def test_a_cover_is_never_looked_at(tmp_path: Path, kind: str, opened: str) -> None:
    container, codec, with_cover = covers.WAYS[kind]
    plain = file(tone(), container=container, codec=codec)
    covered = with_cover(covers.png(16_000), plain)
    assert len(covered) < 1 << 20
    assert validate(covered, LIMITS).problems == []
    names = [tmp_path / "plain", tmp_path / "covered"]
    for name, data in zip(names, (plain, covered), strict=True):
        name.write_bytes(data)
    command = [sys.executable, "-c", MEASURED, opened, *map(str, names)]
    grown = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert int(grown) < 32 << 10, "KiB; the picture alone would take 750 MiB"


def test_a_small_file_of_hours_is_not_decoded_to_its_end() -> None:
    hours = file(
        *[np.concatenate([tone(seconds=1, rate=48_000), silence(2 * 3_600, 48_000)])],
        rate=48_000,
        container="flac",
        codec="flac",
    )
    assert len(hours) < 4 << 20
    began = time.process_time()
    recording = decode_recording(hours, LIMITS)
    assert not recording.whole
    assert len(recording.samples) / recording.rate == pytest.approx(60, abs=0.5)
    assert time.process_time() - began < 1, "all of it would take some 3 s of a processor, and a minute takes 0.03"


@given(files())
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_accepted_or_refused(data: bytes) -> None:
    with suppress(UnusableRecordingError):
        assert len(validate(data, LIMITS).samples)


def test_nan_and_huge_samples_do_no_harm() -> None:
    sound = tone()
    sound[1_000:1_100] = np.nan
    sound[2_000:2_100] = np.inf
    sound[3_000:3_100] = 1e38
    (problem,) = validate(file(sound, codec="pcm_f32le"), LIMITS).problems
    assert "clipped" in problem


def test_decoding_has_a_deadline() -> None:
    with pytest.raises(UnusableRecordingError, match="too long"):
        decode_recording(file(tone()), msgspec.structs.replace(LIMITS, decode_seconds=0.0))


def test_limits_are_settings() -> None:
    loose = msgspec.structs.replace(LIMITS, min_seconds=0.5, max_seconds=60.0, min_rate=8_000, min_loudness=-70.0)
    assert validate(file(tone(seconds=1, rate=8_000, level=0.003), rate=8_000), loose).problems == []


@pytest.mark.parametrize(
    ("transcript", "seconds", "told"),
    [
        (TRANSCRIPT, 5, None),
        (TRANSCRIPT, 2.5, None),
        (TRANSCRIPT, 11, None),
        (TRANSCRIPT, 1.5, "is long"),
        (TRANSCRIPT, 20, "is short"),
        ("床前明月光，疑是地上霜。举头望明月，低头思故乡。", 6, None),
        ("床前明月光，疑是地上霜。举头望明月，低头思故乡。", 30, "is short"),
        ("…!?", 5, "no words"),
    ],
)
def test_a_transcript_must_fit_the_time(transcript: str, seconds: float, told: str | None) -> None:
    problem = transcript_problem(transcript, seconds, LIMITS)
    assert problem is None if told is None else told in (problem or "")
