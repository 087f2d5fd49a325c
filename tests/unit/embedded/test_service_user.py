import os
from pathlib import Path

import pytest

from orchestrator.embedded import CannotStart
from orchestrator.embedded.service_user import check_reach, service_user

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as another user")


@pytest.mark.skipif(os.geteuid() == 0, reason="root runs Postgres as another user")
def test_an_ordinary_user_runs_postgres_itself() -> None:
    assert service_user({"LECTERN_POSTGRES_USER": "nobody"}) is None


@as_root
def test_root_takes_an_account_that_exists() -> None:
    user = service_user({})
    assert user is not None
    assert user.name in {"postgres", "nobody"}
    assert user.uid != 0


@as_root
def test_the_setting_wins() -> None:
    user = service_user({"LECTERN_POSTGRES_USER": "nobody"})
    assert user is not None
    assert user.name == "nobody"


@as_root
@pytest.mark.parametrize("name", ["root", "no-such-account"])
def test_an_unusable_account_is_told(name: str) -> None:
    with pytest.raises(CannotStart, match=f"{name}.*LECTERN_POSTGRES_USER"):
        service_user({"LECTERN_POSTGRES_USER": name})


@as_root
def test_the_folder_that_the_service_user_cannot_pass_is_told(open_folder: Path) -> None:
    closed = open_folder / "closed"
    below = closed / "home"
    below.mkdir(parents=True)
    closed.chmod(0o700)
    with pytest.raises(CannotStart, match=rf"cannot pass through {closed}: .*LECTERN_HOME.*LECTERN_POSTGRES_USER"):
        check_reach(service_user({}), below)
    closed.chmod(0o711)
    check_reach(service_user({}), below)
    check_reach(None, below)
