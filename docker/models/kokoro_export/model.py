"""The whole model: phoneme ids in, waveforms and durations out, for many texts at once."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import remove_weight_norm

from kokoro_export.adain import StyledBlock
from kokoro_export.batch_packing import TimeAxis, packing_of
from kokoro_export.encoders import Albert, BidirectionalLSTM
from kokoro_export.generator import Generator
from kokoro_export.harmonic_source import PITCHES_A_HERTZ
from kokoro_export.input_limits import neutral_where_bad

STYLE = 128  # columns 0 to 127 of a voice's style are for the decoder, 128 to 255 for the prosody


class PackedKokoro(nn.Module):
    """Kokoro for batches, made from an upstream `KModel`, which stays as it is."""

    def __init__(
        self,
        kmodel: Any,  # noqa: ANN401 - upstream has no types
        *,
        dtype: torch.dtype = torch.float32,
        int16: bool = True,
        pitches_a_hertz: int | None = PITCHES_A_HERTZ,
    ) -> None:
        """`pitches_a_hertz` None leaves the pitch as upstream has it: for comparing, in double precision only."""
        super().__init__()
        self.pitches_a_hertz = pitches_a_hertz
        # In double precision: rounding each weight's norm would move the pitch, and with it the whole waveform.
        upstream = copy.deepcopy(kmodel).double()
        for module in upstream.modules():
            if hasattr(module, "weight_g"):
                remove_weight_norm(module)
        predictor, decoder, text = upstream.predictor, upstream.decoder, upstream.text_encoder
        self.int16 = int16
        self.language_model, self.narrow = Albert(upstream.bert), upstream.bert_encoder
        layers = list(predictor.text_encoder.lstms)
        self.duration_lstms = nn.ModuleList(BidirectionalLSTM(layer) for layer in layers[::2])
        self.duration_norms = nn.ModuleList(layers[1::2])
        self.duration_lstm, self.duration_head = BidirectionalLSTM(predictor.lstm), predictor.duration_proj
        self.prosody_lstm = BidirectionalLSTM(predictor.shared)
        self.pitch_blocks = nn.ModuleList(StyledBlock(block) for block in predictor.F0)
        self.energy_blocks = nn.ModuleList(StyledBlock(block) for block in predictor.N)
        self.pitch_head, self.energy_head = predictor.F0_proj, predictor.N_proj
        self.embedding, self.text_convs = text.embedding, text.cnn
        self.signs: int = text.embedding.num_embeddings
        self.text_lstm = BidirectionalLSTM(text.lstm)
        self.pitch_conv, self.energy_conv, self.residual = decoder.F0_conv, decoder.N_conv, decoder.asr_res
        self.encode = StyledBlock(decoder.encode)
        self.decode = nn.ModuleList(StyledBlock(block) for block in decoder.decode)
        self.generator = Generator(decoder.generator)
        self.to(dtype)

    def forward(
        self, input_ids: Tensor, input_lengths: Tensor, style: Tensor, speed: Tensor, noise_offset: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Speaks.

        input_ids [N, T], zero behind each item's input_lengths [N]; style [N, 256]; speed and noise_offset [N].
        Returns the waveform [N, S], zero behind each item's sample_lengths [N], and the durations [N, T] in frames.
        An item beyond the limits (kokoro_export.input_limits) has no samples and no durations.
        """
        good, input_ids, input_lengths, style, speed = neutral_where_bad(
            input_ids, input_lengths, style, speed, self.signs
        )
        voice, prosody = style[:, :STYLE], style[:, STYLE:]
        width = input_ids.shape[1]
        inside = torch.arange(width, device=input_ids.device).unsqueeze(0) < input_lengths.unsqueeze(1)
        mask = inside.to(style.dtype)
        features = self._duration_features(input_ids, input_lengths, mask, prosody)
        durations = self._durations(features, input_lengths, speed) * inside.to(torch.int64)
        ends = durations.cumsum(1)
        frames = ends[:, -1]
        longest = frames.max()
        if not torch.jit.is_tracing():
            longest = int(longest)
        frame = torch.arange(longest, device=frames.device).view(1, -1, 1)
        token = torch.minimum((ends.unsqueeze(1) <= frame).to(torch.int64).sum(-1), (input_lengths - 1).unsqueeze(1))
        packing = packing_of(frames)
        axes = (packing.axis(1, 0, style.dtype), packing.axis(2, 0, style.dtype))

        shared = self.prosody_lstm(_of_tokens(features, token), frames).transpose(1, 2)
        shared = packing.pack(shared, 1, axes[0])
        pitch = _curve(self.pitch_blocks, self.pitch_head, shared, prosody, axes)
        pitch = self.in_steps(pitch)
        energy = _curve(self.energy_blocks, self.energy_head, shared, prosody, axes)

        sounds = _of_tokens(self._text_features(input_ids, input_lengths, mask), token).transpose(1, 2)
        sounds = packing.pack(sounds, 1, axes[0])
        x = self._decode(sounds, pitch, energy, voice, axes)
        pitches = packing.unpack(pitch[0, 0], 2, longest * 2)
        waveform, samples = self.generator(x, voice, pitches, packing, longest, noise_offset)
        waveform = waveform * good.to(style.dtype).unsqueeze(1)
        if self.int16:
            waveform = torch.round(waveform.clamp(-1, 1) * 32_767).to(torch.int16)
        return waveform, samples * good, durations * good.unsqueeze(1)

    def in_steps(self, pitch: Tensor) -> Tensor:
        if self.pitches_a_hertz is None:
            return pitch
        return torch.round(pitch * self.pitches_a_hertz) / self.pitches_a_hertz

    def _duration_features(self, ids: Tensor, lengths: Tensor, mask: Tensor, style: Tensor) -> Tensor:
        """[N, T, hidden + style]"""
        x = self.narrow(self.language_model(ids, mask))
        styles = style.unsqueeze(1).expand(-1, ids.shape[1], -1)
        x = torch.cat([x, styles], -1) * mask.unsqueeze(-1)
        for lstm, norm in zip(self.duration_lstms, self.duration_norms, strict=True):
            gain, shift = norm.fc(style).unsqueeze(1).chunk(2, -1)
            x = lstm(x, lengths)
            x = (1 + gain) * nn.functional.layer_norm(x, (norm.channels,), eps=norm.eps) + shift
            x = torch.cat([x, styles], -1) * mask.unsqueeze(-1)
        return x

    def _durations(self, features: Tensor, lengths: Tensor, speed: Tensor) -> Tensor:
        """[N, T], in frames of 25 ms, at least one."""
        steps = torch.sigmoid(self.duration_head(self.duration_lstm(features, lengths))).sum(-1)
        return torch.round(steps / speed.unsqueeze(1)).clamp(min=1).to(torch.int64)

    def _text_features(self, ids: Tensor, lengths: Tensor, mask: Tensor) -> Tensor:
        """[N, T, hidden]"""
        x = self.embedding(ids).transpose(1, 2) * mask.unsqueeze(1)
        for conv in self.text_convs:
            x = conv(x) * mask.unsqueeze(1)
        return self.text_lstm(x.transpose(1, 2), lengths)

    def _decode(
        self, sounds: Tensor, pitch: Tensor, energy: Tensor, style: Tensor, axes: tuple[TimeAxis, TimeAxis]
    ) -> Tensor:
        """[1, C, 2P]"""
        once = axes[0]
        curves = [self.pitch_conv(pitch) * once.inside, self.energy_conv(energy) * once.inside]
        x = self.encode(torch.cat([sounds, *curves], 1), style, once, once)
        residual = self.residual(sounds) * once.inside
        for block in self.decode:
            x = block(torch.cat([x, residual, *curves], 1), style, once, axes[block.doubles])
        return x


def _of_tokens(features: Tensor, token: Tensor) -> Tensor:
    """Spreads [N, T, C] over the frames; token [N, F] is the token of each frame."""
    return torch.gather(features, 1, token.unsqueeze(-1).expand(-1, -1, features.shape[-1]))


def _curve(blocks: nn.ModuleList, head: nn.Module, x: Tensor, style: Tensor, axes: tuple[TimeAxis, TimeAxis]) -> Tensor:
    """[1, C, P] -> [1, 1, 2P]: the middle block doubles the steps."""
    before = axes[0]
    for block in blocks:
        after = axes[1] if block.doubles else before
        x = block(x, style, before, after)
        before = after
    return head(x) * before.inside
