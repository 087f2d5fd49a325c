"""The packed model: exact for every item of a batch, and the same as upstream's. Each trap has a test that fails
without its cure, which is shown by taking the cure away.
"""

import copy
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
import torch
from torch import Tensor

from kokoro_export import adain, batch_packing, generator, harmonic_source, stft
from kokoro_export.encoders import BidirectionalLSTM
from kokoro_export.model import PackedKokoro
from kokoro_export.upstream import UpstreamReference
from tests.export.random_sentences import Case, batch, cases, furthest, speak

EXACT = 1e-9
UPSTREAM = 1e-6


@pytest.fixture(scope="module")
def packed(tiny: Any) -> PackedKokoro:
    return PackedKokoro(tiny, dtype=torch.float64, int16=False, pitches_a_hertz=None)


def alone(packed: PackedKokoro, chosen: list[Case]) -> list[tuple[Any, Any]]:
    return [speak(packed, [case])[0] for case in chosen]


def upstream(tiny: Any, packed: PackedKokoro, chosen: list[Case]) -> list[tuple[Any, Any]]:
    reference = UpstreamReference(tiny, packed.generator.source)
    return [reference.speak(case.ids, case.style, case.speed, case.offset) for case in chosen]


@pytest.mark.parametrize("seed", range(8))
def test_an_item_of_a_batch_is_what_it_is_alone(packed: PackedKokoro, seed: int) -> None:
    chosen = cases(seed, count=2 + seed)
    assert furthest(speak(packed, chosen), alone(packed, chosen)) < EXACT


def test_the_order_in_a_batch_does_not_matter(packed: PackedKokoro) -> None:
    chosen = cases(11, count=5)
    assert furthest(speak(packed, chosen)[::-1], speak(packed, chosen[::-1])) < EXACT


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_it_is_the_same_as_upstreams(tiny: Any, packed: PackedKokoro, seed: int) -> None:
    chosen = cases(seed, count=4)
    assert furthest(speak(packed, chosen), upstream(tiny, packed, chosen)) < UPSTREAM


def test_more_padding_changes_nothing(packed: PackedKokoro) -> None:
    chosen = cases(31, count=2)
    with torch.no_grad():
        ids, *rest = batch(chosen, torch.float64)
        waveform, samples, _ = packed(torch.nn.functional.pad(ids, (0, 90)), *rest)
    for item, (made, _) in enumerate(speak(packed, chosen)):
        assert samples[item] == len(made)
        assert float((waveform[item, : len(made)] - made).abs().max()) < EXACT
        assert not waveform[item, len(made) :].any()


def test_the_same_request_makes_the_same_noise(packed: PackedKokoro) -> None:
    (case,) = cases(41, count=1)
    assert furthest(speak(packed, [case]), speak(packed, [case])) == 0
    assert furthest(speak(packed, [case]), speak(packed, [case._replace(offset=case.offset + 1)])) > 0


def test_the_one_noise_is_as_loud_as_upstreams_nine(tiny: Any, packed: PackedKokoro) -> None:
    """The reference above takes its noise from the packed model, so that only this compares it with upstream's own."""
    source_of_upstream = copy.deepcopy(tiny.decoder.generator.m_source).double()
    pitch = torch.zeros(1, 800, dtype=torch.float64)
    samples = torch.tensor([pitch.shape[1] * harmonic_source.STEP])
    with torch.no_grad():
        wanted, _, _ = source_of_upstream(pitch.repeat_interleave(harmonic_source.STEP, 1).unsqueeze(-1))
        made = packed.generator.source(pitch, samples, torch.tensor([0]))
    assert float(made.std()) == pytest.approx(float(wanted.std()), rel=0.03)
    assert float(made.mean()) == pytest.approx(float(wanted.mean()), abs=1e-3)


@pytest.mark.parametrize("speed", [0.5, 1.5, 1.99, 2.0])
def test_speed_is_a_number_with_a_fraction(packed: PackedKokoro, speed: float) -> None:
    """A speed traced as an integer would make 1.5 the same as 1, and 1.99 as well."""
    (case,) = cases(51, count=1, longest=60)
    (normal,), (made,) = speak(packed, [case._replace(speed=1.0)]), speak(packed, [case._replace(speed=speed)])
    assert int(made[1].sum()) == pytest.approx(int(normal[1].sum()) / speed, rel=0.15)


def no_gap(_: PackedKokoro) -> Any:
    return patch.object(batch_packing, "GAP", 0)


def statistics_over_all(_: PackedKokoro) -> Any:
    """As InstanceNorm would have it: every item normalised over the whole axis."""

    def together(self: Any, x: Tensor, style: Tensor, axis: Any) -> Tensor:
        gain, shift = self.of_style(style).t().chunk(2, 0)
        normal = torch.nn.functional.instance_norm(
            x, weight=self.weight.view(-1), bias=self.bias.view(-1), eps=self.eps
        )
        return (1 + gain @ axis.members) * normal + shift @ axis.members

    return patch.object(adain.StyleNorm, "forward", together)


def no_masking(_: PackedKokoro) -> Any:
    whole = batch_packing.Packing.axis

    def unmasked(self: Any, steps: int, extra: int, dtype: Any) -> Any:
        axis = whole(self, steps, extra, dtype)
        return axis._replace(inside=torch.ones_like(axis.inside))

    return patch.object(batch_packing.Packing, "axis", unmasked)


def lstm_over_padding(_: PackedKokoro) -> Any:
    return patch.object(BidirectionalLSTM, "forward", lambda self, x, _lengths: self.lstm(x)[0])


def reflection_at_the_batchs_end(_: PackedKokoro) -> Any:
    whole = stft.Analysis.forward
    return patch.object(
        stft.Analysis,
        "forward",
        lambda self, audio, samples: whole(self, audio, torch.full_like(samples, audio.shape[1])),
    )


@pytest.mark.parametrize(
    "without", [no_gap, statistics_over_all, no_masking, lstm_over_padding, reflection_at_the_batchs_end]
)
def test_without_its_cure_a_batch_changes_its_items(
    packed: PackedKokoro, without: Callable[[PackedKokoro], Any]
) -> None:
    chosen = cases(61, count=4)
    single = alone(packed, chosen)
    assert furthest(speak(packed, chosen), single) < EXACT
    with without(packed):
        assert furthest(speak(packed, chosen), single) > 1e-6


def no_snap(packed: PackedKokoro) -> Any:
    """The imaginary part at the edges is nothing but rounding; its sign decides on half a turn forth or back."""
    analysis = packed.generator.analysis
    forward = analysis.forward

    def unsnapped(audio: Tensor, samples: Tensor) -> Tensor:
        magnitude, phase = forward(audio, samples).chunk(2, 1)
        at_edge = torch.zeros_like(phase, dtype=torch.bool)
        at_edge[:, :, 0] = phase[:, :, 0] == torch.pi
        return torch.cat([magnitude, torch.where(at_edge, -phase, phase)], 1)

    return patch.object(analysis, "forward", unsnapped)


def no_reflection_pad(_: PackedKokoro) -> Any:
    return patch.object(generator, "_reflect_at_starts", lambda x, _packing: x)


def custom_stft(packed: PackedKokoro) -> Any:
    """Upstream's CustomSTFT, which its own exports use: no division by the sum of the windows at the edges."""
    synthesis = packed.generator.synthesis
    return patch.multiple(
        synthesis, after_start=torch.ones_like(synthesis.after_start), before_end=torch.ones_like(synthesis.before_end)
    )


@pytest.mark.parametrize("without", [no_snap, no_reflection_pad, custom_stft])
def test_without_its_cure_it_is_not_upstreams(
    tiny: Any, packed: PackedKokoro, without: Callable[[PackedKokoro], Any]
) -> None:
    chosen = cases(71, count=2)
    wanted = upstream(tiny, packed, chosen)
    assert furthest(speak(packed, chosen), wanted) < UPSTREAM
    with without(packed):
        assert furthest(speak(packed, chosen), wanted) > 1e-4


def test_upstreams_own_export_transform_is_not_the_true_one() -> None:
    from kokoro.custom_stft import CustomSTFT  # noqa: PLC0415 - after the path of the conftest
    from kokoro.istftnet import TorchSTFT  # noqa: PLC0415

    noise = torch.randn(1, 6_000, generator=torch.Generator().manual_seed(1))
    true, custom = (kind(filter_length=20, hop_length=5, win_length=20) for kind in (TorchSTFT, CustomSTFT))
    back = true.inverse(*true.transform(noise)).squeeze()
    assert float((back - noise[0]).abs().max()) < 1e-5
    back = custom.inverse(*custom.transform(noise)).squeeze()[: noise.shape[1]]
    gain = float((back * noise[0]).sum() / noise.square().sum())
    assert gain < 0.9


def test_phase_keeps_its_precision_in_long_audio() -> None:
    """In single precision, summed turns of a minute of audio are off by far more than those modulo one turn."""
    merge = torch.nn.Linear(harmonic_source.HARMONICS, 1)
    torch.nn.init.constant_(merge.weight, 0.1)
    steps = 80 * 60
    pitch = 180 + 40 * torch.sin(torch.arange(steps) / 50).unsqueeze(0)
    pitch = torch.round(pitch * 8) / 8
    samples = torch.tensor([steps * harmonic_source.STEP])
    exact = harmonic_source.HarmonicSource(merge).double()._turns(pitch.double(), samples)
    made = harmonic_source.HarmonicSource(merge).float()._turns(pitch, samples)

    def apart(turns: Tensor) -> float:
        difference = turns.double()[:, -100:] - exact[:, -100:]
        return float((difference - difference.round()).abs().max())

    summed = torch.cumsum(
        pitch.unsqueeze(-1) * torch.arange(1, 10) / harmonic_source.RATE * harmonic_source.STEP, 1
    ).unsqueeze(2)
    summed = summed.expand(-1, -1, harmonic_source.STEP, -1)
    middles = exact[:, :, 149:150].expand(-1, -1, harmonic_source.STEP, -1)
    drift = summed.double()[:, -100:] - middles[:, -100:]
    assert apart(made) < 2e-3
    assert float((drift - drift.round()).abs().max()) > 10 * apart(made)


def test_the_pitch_is_rounded_so_that_float_noise_stays_small(tiny: Any) -> None:
    """A pitch that is off by a millionth makes other audio; rounded it makes the same, but where it crosses a step."""
    rounded, free = PackedKokoro(tiny, int16=False), PackedKokoro(tiny, int16=False, pitches_a_hertz=None)
    chosen = cases(81, count=6, longest=24)
    errors = {}
    for name, model in (("rounded", rounded), ("free", free)):
        whole = model.in_steps
        wanted = alone(model, chosen)
        with patch.object(model, "in_steps", lambda pitch, whole=whole: whole(pitch * (1 + 1e-6))):
            made = alone(model, chosen)
        errors[name] = sorted(furthest([one], [other]) for one, other in zip(wanted, made, strict=True))
    middle = len(chosen) // 2
    assert errors["rounded"][middle] < 0.1 * errors["free"][middle]
