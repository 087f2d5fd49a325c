import pytest

from tests.openai_contract.server import Server, server_of
from tests.stack import Stack


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Server:
    """Lectern's own stack is started only if no other server is named."""
    named = server_of()
    if named is not None:
        return named
    stack: Stack = request.getfixturevalue("stack")
    return Server(f"{stack.url}/v1", stack.api_key, "espeak", "en-us")
