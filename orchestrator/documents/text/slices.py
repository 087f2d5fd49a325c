"""From the spoken text of each part to groups of slices: what each block or segment will hold."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from orchestrator.documents.text.atoms import Atom, cut_atoms
from orchestrator.documents.text.packing import pack


class Slice(NamedTuple):
    """Spoken text ``[start, end)`` of part ``part``, without white space at its ends."""

    part: int
    start: int
    end: int


def group_slices(
    spoken: Sequence[str],
    starts: Iterable[list[int]],
    *,
    join_cost: Callable[[int, int], float],
    first_seconds: float | None = None,
) -> Iterator[list[Slice]]:
    """Yield the slices of each group, in order; together they hold every word of every part once.

    ``starts`` are the sentence starts of each part; ``join_cost`` and ``first_seconds`` are those of `pack`.
    """
    atoms = [
        atom for part, (text, at) in enumerate(zip(spoken, starts, strict=True)) for atom in cut_atoms(text, at, part)
    ]
    begin = 0
    for end in pack(atoms, join_cost, first_seconds=first_seconds):
        yield _slices(spoken, atoms[begin:end])
        begin = end


def _slices(spoken: Sequence[str], atoms: list[Atom]) -> list[Slice]:
    slices: list[Slice] = []
    for atom in atoms:
        start = atom.start
        if slices and slices[-1].part == atom.part:
            start = slices.pop().start
        slices.append(Slice(atom.part, start, atom.end))
    return [Slice(part, start, start + len(spoken[part][start:end].rstrip())) for part, start, end in slices]
