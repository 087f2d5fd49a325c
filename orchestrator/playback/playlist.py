"""The blocks of a document as a listener meets them: only those that are read aloud, in order."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final
from uuid import UUID

from orchestrator.documents.service import BlockSummary
from orchestrator.lib.errors.problems import NotFound
from orchestrator.playback.schemas import BlockInfo

_PART: Final = 2_000  # blocks in one message, some 150 KB: clients refuse messages of a megabyte


class Playlist:
    """A place is a number from 0: that of a block among those that are read aloud."""

    def __init__(self, document_blocks: Sequence[BlockSummary], speed: float = 1.0) -> None:
        """Raises `NotFound` if nothing is read aloud."""
        self.blocks = [
            BlockInfo(block.id, block.position, round(block.estimated_seconds / speed, 2))
            for block in document_blocks
            if block.is_spoken
        ]
        if not self.blocks:
            raise NotFound("Nothing in this document is read aloud, so there is nothing to play.")
        before = accumulate((block.is_spoken for block in document_blocks), initial=0)
        self._places = {block.id: place for block, place in zip(document_blocks, before, strict=False)}

    def __len__(self) -> int:
        return len(self.blocks)

    def place(self, block: UUID) -> int:
        """Raises `NotFound`. Of a block that is not read aloud it is that of the next one, or behind the last."""
        if block not in self._places:
            raise NotFound(f"This document has no block {block}. Send the id of one of its blocks.")
        return self._places[block]

    def locate(self, block: UUID, seconds: float) -> tuple[int, float]:
        """The place, and the seconds into the block there. Raises `NotFound`."""
        place = self.place(block)
        spoken = place < len(self) and self.blocks[place].id == block
        return place, seconds if spoken else 0.0

    def parts(self) -> Iterator[list[BlockInfo]]:
        for first in range(0, len(self.blocks), _PART):
            yield self.blocks[first : first + _PART]
