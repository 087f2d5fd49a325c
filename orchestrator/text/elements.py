"""A part is one structural element of a document, as a reader sees it, before any cutting."""

from typing import Literal, NamedTuple

from orchestrator.text.estimate import has_words

Role = Literal["heading", "paragraph", "list_item", "quote", "table_row", "image", "code"]

CELL_BREAK = "\t"  # stands between the cells of a table row, in shown text; no cell can contain it


class Element(NamedTuple):
    """``level`` is 1 to 6 for a heading and the depth (1 = outermost) for a list item, else None."""

    role: Role
    shown: str
    level: int | None = None

    @property
    def voiced(self) -> bool:
        """Whether the part is read aloud. Code is not, nor is what holds no letter and no digit."""
        return self.role != "code" and has_words(self.shown)
