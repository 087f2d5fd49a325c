import uuid

import httpx

from tests.integration import documents

TEXT = """# The lighthouse

The lamp was lit at dusk on 3 March 1897, and it burnt for *forty years* without a night off.

- Oil came by boat, twice a month.
- Bread came with it, when the sea allowed.

> "Nobody comes here by chance," the keeper said, and shut the door.

```python
print("not read aloud")
```
"""


def test_a_document_is_cut_into_blocks_with_roles(api: httpx.Client) -> None:
    document = documents.make(api, TEXT)
    blocks = documents.blocks(api, document["id"])

    assert document["status"] == "ready"
    assert document["title"] == "The lighthouse"
    assert document["characters"] == len(TEXT)
    assert document["blocks"] == len(blocks)
    assert [block["position"] for block in blocks] == list(range(len(blocks)))
    roles = {part["role"] for block in blocks for part in block["parts"]}
    assert {"heading", "paragraph", "list_item", "quote", "code"} <= roles
    assert "not read aloud" not in " ".join(block["spoken"] for block in blocks)


def test_every_spoken_character_maps_to_the_shown_text(api: httpx.Client) -> None:
    document = documents.make(api, TEXT)
    for block in documents.blocks(api, document["id"]):
        covered = 0
        for spoken_start, spoken_end, shown_start, shown_end in block["spans"]:
            assert spoken_start == covered
            assert 0 <= shown_start <= shown_end <= len(block["shown"])
            covered = spoken_end
        assert covered == len(block["spoken"])


def test_plain_text_keeps_its_markup_characters(api: httpx.Client) -> None:
    document = documents.make(api, "# not a heading\n\nTwo * three is six, as every child knows.", format="text")
    shown = " ".join(block["shown"] for block in documents.blocks(api, document["id"]))
    assert "# not a heading" in shown
    assert "Two * three" in shown


def test_lists_are_paged_newest_first_without_gaps_or_repeats(api: httpx.Client) -> None:
    made = [documents.make(api, f"Document number {number} of the list.")["id"] for number in range(5)]
    seen: list[str] = []
    after: dict[str, str] = {}
    while not set(made) <= set(seen):
        page = api.get("/api/v1/documents", params={"limit": "2", **after}).raise_for_status().json()
        assert len(page["items"]) <= 2
        seen += [item["id"] for item in page["items"]]
        after = {"after": page["next"]}
    assert [one for one in seen if one in made] == made[::-1]
    assert len(seen) == len(set(seen))


def test_blocks_are_paged_in_reading_order(api: httpx.Client) -> None:
    text = "\n\n".join(f"Paragraph {number} says a little about nothing at all." for number in range(7))
    document = documents.make(api, text)
    first = api.get(f"/api/v1/documents/{document['id']}/blocks", params={"limit": 3}).json()
    second = api.get(f"/api/v1/documents/{document['id']}/blocks", params={"limit": 50, "after": first["next"]}).json()
    assert [block["position"] for block in first["items"] + second["items"]] == list(range(document["blocks"]))
    assert second["next"] is None


def test_a_deleted_document_is_gone_with_its_blocks(api: httpx.Client) -> None:
    document = documents.make(api, "This one will not stay for long.")
    path = f"/api/v1/documents/{document['id']}"
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    assert api.get(f"{path}/blocks").status_code == 404
    assert api.delete(path).status_code == 404


def test_an_unknown_document_is_not_found(api: httpx.Client) -> None:
    answer = api.get(f"/api/v1/documents/{uuid.uuid4()}")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/problem+json")
