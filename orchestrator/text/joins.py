"""What it costs to let two neighbouring parts share a block, which only a fragment is reason enough to do.

Every price is above what packing gains from a longer block, and below the price of a fragment.
"""

from orchestrator.text.elements import Element

_HEADING_LEADS = 20.0
_SAME_LIST_OR_TABLE = 20.0
_SAME_ROLE = 25.0
_OTHER_ROLE = 35.0
_HEADING_TRAILS = 80.0  # behind the section before it, where nothing follows


def join_cost(before: Element, after: Element) -> float:
    if after.role == "heading":
        return _HEADING_LEADS if before.role == "heading" else _HEADING_TRAILS
    if before.role == "heading":
        return _HEADING_LEADS
    if before.role != after.role:
        return _OTHER_ROLE
    return _SAME_LIST_OR_TABLE if before.role in {"list_item", "table_row"} else _SAME_ROLE
