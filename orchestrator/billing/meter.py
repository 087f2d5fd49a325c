"""The meter that everything heard passes: held before a segment is synthesized or read, settled when it is let go."""

from typing import Literal, Protocol

from orchestrator.accounts.requester import Requester

# made: a model spoke for this requester. joined: for another one, at the same time. cached: it was kept already.
Source = Literal["made", "joined", "cached"]


class Hold(Protocol):
    """What one requester may use of one segment."""

    def settle(self, source: Source, *, seconds: float, made_seconds: float) -> None:
        """``seconds`` were heard, at whatever tempo; both 0: it was not used.

        A model made ``made_seconds`` of speech for this requester.

        Called once. ``source`` is how it began: who joined and stayed when the first one left, has made the rest.
        """
        ...


class Uncounted:
    """A `Hold` for what the same response has counted already."""

    def settle(self, source: Source, *, seconds: float, made_seconds: float) -> None:
        pass


class Meter(Protocol):
    def hold(self, requester: Requester, *, segment_key: str, model: str, characters: int) -> Hold: ...

    async def flush(self) -> None:
        """Returns when what was settled so far is written down. A response ends after that."""
        ...
