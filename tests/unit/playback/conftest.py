from collections.abc import Mapping
from typing import Any

import pytest

from tests.virtual_time import BACKEND


@pytest.fixture
def anyio_backend() -> tuple[str, Mapping[str, Any]]:
    return BACKEND
