"""Settings of the model guard."""

from typing import Annotated

from orchestrator.lib.environment import EnvSettings, env


class GuardSettings(EnvSettings, frozen=True, kw_only=True):
    listen: Annotated[
        str,
        env(
            "LECTERN_GUARD_LISTEN",
            "Address of the guard's HTTP endpoint, host:port. Others than this machine need it in a cluster only.",
            pattern=r"^.+:\d{1,5}$",
        ),
    ] = "127.0.0.1:8010"
    models: Annotated[
        str,
        env(
            "LECTERN_GUARD_MODELS",
            "Voice models that must speak, each with those that it needs: espeak,kokoro=kokoro_g2p+kokoro_acoustic."
            " The guard loads those that are not loaded. It also guards every other voice model that is loaded.",
            pattern=r"^(\s*[\w.-]+\s*(=\s*[\w.-]*(\s*\+\s*[\w.-]+)*\s*)?(,|$))*$",
        ),
    ] = ""
    limits: Annotated[
        str,
        env(
            "LECTERN_MODEL_LIMITS",
            "Seconds that a model may take, in place of those in its config.pbtxt: to load, for a probe, and between"
            " signs of life during a probe: higgs.load=900,espeak.probe=2,kokoro.silence=5.",
            pattern=r"^(\s*[\w.-]+\.(load|probe|silence)\s*=\s*\d+(\.\d+)?\s*(,|$))*$",
        ),
    ] = ""
    processes: Annotated[
        str,
        env(
            "LECTERN_GUARD_PROCESSES",
            "Where the guard sees Triton's model processes: the prefix of their shared memory, Triton's"
            " --backend-config=python,shm-region-prefix-name. It then finds a dead process at once and can kill a hung"
            " one. Left out: it probes, unloads and loads only.",
        ),
    ] = ""


def required_models(setting: str) -> dict[str, tuple[str, ...] | None]:
    """Returns the models that `LECTERN_GUARD_MODELS` names, with what each needs; None: its config.pbtxt says that."""
    pairs = [pair.partition("=") for pair in setting.split(",") if pair.strip()]
    return {
        name.strip(): tuple(each.strip() for each in needs.split("+") if each.strip()) if given else None
        for name, given, needs in pairs
    }
