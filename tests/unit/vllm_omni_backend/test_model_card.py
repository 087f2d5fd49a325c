from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from lectern_triton.higgs_engine.messages import Ready
from lectern_triton.vllm_omni_backend.configuration import Configuration, ConfigurationError
from lectern_triton.vllm_omni_backend.model_card import default_voice, model_card
from lectern_triton.vllm_omni_backend.presets import About, Preset
from lectern_triton.vllm_omni_backend.voice_parameters import read_voice_parameters
from lectern_triton.voice_backend.voice import BadRequest, Reference

V2 = Ready(family="v2", version="v2-1", streams=False, seeds=False)
ONE = Preset("one", About(transcript="a"), Reference(np.arange(4, dtype=np.int16), 24_000, "a"))


@dataclass
class Model:
    folder: Path
    configuration: Configuration = Configuration()  # noqa: RUF009 - it is frozen
    presets: tuple[Preset, ...] = (ONE,)
    ready: Ready = V2

    def card(self) -> dict[str, Any]:
        presets = {preset.name: preset for preset in self.presets}
        return model_card(self.folder, self.configuration, presets, self.ready)


def test_the_version_is_that_of_the_weights_or_else_the_engines(tmp_path: Path) -> None:
    model = Model(tmp_path)
    assert model.card()["version"].startswith("v2-1-")
    (tmp_path / "card.json").write_text('{"version": "higgs-2.0"}')
    assert model.card()["version"].startswith("higgs-2.0-")
    (tmp_path / "card.json").write_text("[]")
    with pytest.raises(ConfigurationError, match=r"card\.json"):
        model.card()


def test_the_version_changes_with_all_that_changes_the_sound(tmp_path: Path) -> None:
    other = Preset("one", ONE.about, Reference(np.arange(1, 5, dtype=np.int16), 24_000, "a"))
    told = Preset("one", About(transcript="b"), ONE.reference)
    models = [
        Model(tmp_path),
        *(Model(tmp_path, presets=presets) for presets in ((), (other,), (told,), (ONE, replace(ONE, name="two")))),
        *(
            Model(tmp_path, configuration)
            for configuration in (
                Configuration(temperature=1),
                Configuration(top_p=1),
                Configuration(top_k=1),
                Configuration(seed=1),
                Configuration(scene="A hall."),
            )
        ),
    ]
    assert len({model.card()["version"] for model in models}) == len(models)
    assert Model(tmp_path, Configuration(concurrency=9)).card()["version"] == models[0].card()["version"]


def test_what_the_engine_can_is_on_the_card(tmp_path: Path) -> None:
    v2, v3 = Model(tmp_path).card(), Model(tmp_path, ready=replace(V2, family="v3", seeds=True)).card()
    assert [v2[name] for name in ("previous", "instructions", "seed")] == [True, True, False]
    assert [v3[name] for name in ("previous", "instructions", "seed")] == [False, False, True]


def test_the_default_voice_is_the_named_or_the_first_or_none() -> None:
    presets = {"a": ONE, "b": ONE}
    assert default_voice(Configuration(), presets) == "a"
    assert default_voice(Configuration(default_voice="b"), presets) == "b"
    assert default_voice(Configuration(), {}) == ""


def test_what_a_voice_leaves_out_is_the_models() -> None:
    defaults = Configuration(temperature=0.4, top_p=0.9, top_k=20, seed=7)
    drawn = read_voice_parameters({"temperature": 0, "seed": 0}).sampling(defaults)
    assert (drawn.temperature, drawn.top_p, drawn.top_k, drawn.seed) == (0, 0.9, 20, 0)


@pytest.mark.parametrize("voice", [{"Preset": "a"}, {"preset": None, "x": 1}, {"seed": "1"}, {"temperature": True}])
def test_a_voice_that_is_not_understood_is_refused(voice: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="the voice is not what it must be"):
        read_voice_parameters(voice)
