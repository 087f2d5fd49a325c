"""Progress bars: on terminals only."""

import sys
from typing import Any, Self

from tqdm import tqdm

from lectern.read_aloud import Progress


def bytes_bar() -> Any:  # noqa: ANN401 - tqdm has no types
    return tqdm(unit="B", unit_scale=True, desc="speaking", leave=False, disable=_hidden())


def seconds_bar() -> Any:  # noqa: ANN401
    form = "{desc}: {n:.1f} s of audio [{elapsed}, {postfix}]"
    return tqdm(desc="speaking", bar_format=form, leave=False, disable=_hidden())


class ReadingBar:
    """The progress of a document: blocks done, seconds of audio, and the speed in times real time."""

    def __init__(self) -> None:
        self._bar = tqdm(desc="preparing", unit="block", leave=False, disable=_hidden())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, progress: Progress) -> None:
        bar = self._bar
        if bar.disable:
            return
        bar.set_description(progress.stage, refresh=False)
        bar.total = progress.blocks or None
        bar.n = progress.blocks_done
        if progress.audio_seconds:
            audio = f"{progress.audio_seconds:.0f} s of audio, {progress.times_real_time:.1f} times real time"
            bar.set_postfix_str(audio, refresh=False)
        bar.refresh()


def print_above(line: str) -> None:
    """Prints a line on stderr, above the bar if there is one."""
    tqdm.write(line, file=sys.stderr)


def _hidden() -> bool:
    return not sys.stderr.isatty()
