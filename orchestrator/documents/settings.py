"""Settings of documents."""

from typing import Annotated

from orchestrator.lib.environment import EnvSettings, env


class DocumentSettings(EnvSettings, frozen=True, kw_only=True):
    max_characters: Annotated[
        int, env("LECTERN_DOCUMENT_MAX_CHARACTERS", "Characters in one document.", ge=1, le=20_000_000)
    ] = 2_000_000
    max_title: int = 300  # characters
    max_page: Annotated[int, env("LECTERN_MAX_PAGE", "Items on one page of a list.", ge=1, le=10_000)] = 500
