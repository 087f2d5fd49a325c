"""A stream is cut into windows that, decoded one by one, are the whole."""

import numpy as np
import torch

from lectern_triton.higgs_engine.codebooks import BEGIN, CODEBOOKS, END, delayed, frames_in, undelayed
from lectern_triton.higgs_engine.transformers.decode_windows import CONTEXT, DecodeWindows
from tests.higgs.codec import random_codec

FRAMES = 100
FRAME = 960


def test_windows_decoded_one_by_one_are_the_whole() -> None:
    codec = random_codec("tiny").double()  # so that rounding does not hide a missing frame
    codes = torch.randint(BEGIN, (1, CODEBOOKS, FRAMES), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = codec.decode(codes).audio_values[0, 0]
        parts = []
        for window in DecodeWindows().ready(FRAMES, ended=True):
            sound = codec.decode(codes[..., window.left : window.right]).audio_values[0, 0]
            parts.append(sound[(window.first - window.left) * FRAME : (window.last - window.left) * FRAME])
    streamed = torch.cat(parts)
    assert len(parts) > 4
    assert streamed.shape == whole.shape
    assert (streamed - whole).abs().max() < 1e-9 * whole.abs().max()


def test_windows_are_the_same_however_frames_come() -> None:
    for total in (1, 4, 5, 13, 14, 60, FRAMES):
        one_by_one, in_lumps = DecodeWindows(), DecodeWindows()
        slowly = [window for frames in range(1, total + 1) for window in one_by_one.ready(frames, ended=False)]
        slowly += one_by_one.ready(total, ended=True)
        at_once = [*in_lumps.ready(total, ended=False), *in_lumps.ready(total, ended=True)]
        assert slowly == at_once
        assert [window.first for window in slowly] == [0, *(window.last for window in slowly[:-1])]
        assert slowly[-1].last == total


def test_a_window_waits_for_the_frames_to_its_right() -> None:
    windows = DecodeWindows()
    assert list(windows.ready(4 + CONTEXT - 1, ended=False)) == []
    assert len(list(windows.ready(4 + CONTEXT, ended=False))) == 1


def test_delay_and_back() -> None:
    codes = np.random.default_rng(0).integers(0, BEGIN, (FRAMES, CODEBOOKS)).astype(np.int16)
    rows = delayed(codes)
    assert rows[0].tolist() == [BEGIN] * CODEBOOKS
    assert rows[-1].tolist() == [END] * CODEBOOKS
    assert frames_in(len(rows) - 1) == FRAMES
    assert np.array_equal(undelayed(rows, 0, FRAMES), codes)
    assert np.array_equal(undelayed(rows, 7, 20), codes[7:20])
    assert [frames_in(rows) for rows in (0, 1, 8, 9)] == [0, 0, 0, 1]
