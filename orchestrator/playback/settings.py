"""Settings of playback."""

from typing import Annotated

from orchestrator.lib.environment import EnvSettings, env


class PlaybackSettings(EnvSettings, frozen=True, kw_only=True):
    window: float = 60.0  # seconds of audio made ahead of a listener who asks for no other window
    max_window: Annotated[
        float,
        env("LECTERN_PLAYBACK_MAX_WINDOW", "Largest window that a listener may ask for, in seconds of audio.", gt=0),
    ] = 600.0
    per_account: Annotated[
        int, env("LECTERN_PLAYBACKS_PER_ACCOUNT", "Open playbacks of one account in a web process.", ge=1)
    ] = 32
    per_process: Annotated[int, env("LECTERN_PLAYBACKS", "Open playbacks in a web process.", ge=1)] = 1_000
    messages_per_second: float = 10.0  # from one listener; a burst may have five seconds' worth
