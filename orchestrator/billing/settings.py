"""Settings of billing."""

from typing import Annotated

from orchestrator.lib.environment import EnvSettings, env


class BillingSettings(EnvSettings, frozen=True, kw_only=True):
    prices: Annotated[
        str,
        env(
            "LECTERN_PRICES",
            "Micro-credits for a second of audio by model, such as kokoro=120,espeak=10; what is not named is free.",
            pattern=r"^([A-Za-z0-9_.-]+=\d{1,9}(,(?=.)|$))*$",
        ),
    ] = ""
