"""What was written, so that a file which a crash or a bad disk has changed is told from a whole one."""

import zlib
from typing import Final, Self

import msgspec

SUFFIX: Final = "sum"  # of the object beside an encoding; that of the FLAC is told by the segment's own account


class Checksum(msgspec.Struct, frozen=True):
    size: int  # in bytes
    crc32: int

    @classmethod
    def of(cls, data: bytes) -> Self:
        return cls(len(data), zlib.crc32(data))

    def fits(self, data: bytes) -> bool:
        return len(data) == self.size and zlib.crc32(data) == self.crc32
