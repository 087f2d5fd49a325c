from pathlib import Path

import orchestrator.embedded
from orchestrator.text.blocks import cut_document


def test_the_sample_shows_what_a_document_can_hold() -> None:
    text = (Path(str(orchestrator.embedded.__file__)).with_name("sample_document.md")).read_text(encoding="utf-8")
    blocks = cut_document(text)
    roles = {part.role for block in blocks for part in block.parts}
    assert roles == {"heading", "paragraph", "list_item", "quote", "table_row", "code"}
    assert 240 < sum(block.estimated_seconds for block in blocks) < 420
    assert all(len(block.spoken.split()) >= 5 for block in blocks if block.spoken)
