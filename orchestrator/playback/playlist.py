"""The blocks of a document that are read aloud, in reading order."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final
from uuid import UUID

from orchestrator.documents.service import BlockSummary
from orchestrator.lib.errors.problems import NotFound
from orchestrator.playback.schemas import BlockInfo

_BATCH: Final = 2_000  # blocks in one message, some 150 KB: clients refuse messages of a megabyte


class Playlist:
    """An index counts only the blocks that are read aloud, from 0."""

    def __init__(self, document_blocks: Sequence[BlockSummary], speed: float = 1.0) -> None:
        """Raises `NotFound` if nothing is read aloud."""
        self.blocks = [
            BlockInfo(block.id, block.position, round(block.estimated_seconds / speed, 2))
            for block in document_blocks
            if block.is_spoken
        ]
        if not self.blocks:
            raise NotFound("Nothing in this document is read aloud, so there is nothing to play.")
        read_before = accumulate((block.is_spoken for block in document_blocks), initial=0)
        self._indexes = {block.id: index for block, index in zip(document_blocks, read_before, strict=False)}

    def __len__(self) -> int:
        return len(self.blocks)

    def index(self, block: UUID) -> int:
        """Returns the index of the block, or of the next one if it is not read aloud; that may be behind the last.

        Raises `NotFound`.
        """
        if block not in self._indexes:
            raise NotFound(f"This document has no block {block}. Send the id of one of its blocks.")
        return self._indexes[block]

    def locate(self, block: UUID, seconds: float) -> tuple[int, float]:
        """Returns the index, and the seconds into the block with that index. Raises `NotFound`."""
        index = self.index(block)
        is_read = index < len(self) and self.blocks[index].id == block
        return index, seconds if is_read else 0.0

    def batches(self) -> Iterator[list[BlockInfo]]:
        for first in range(0, len(self.blocks), _BATCH):
            yield self.blocks[first : first + _BATCH]
