import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.embedded import CannotStart
from orchestrator.embedded.home import Home, write_atomically

HOLD = """
import sys, time
from pathlib import Path
from orchestrator.embedded.home import Home
with Home(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_new_home_is_private_and_marked(tmp_path: Path) -> None:
    home = Home(tmp_path / "deep" / "home")
    home.prepare()
    home.prepare()
    assert home.marker.is_file()
    assert home.logs.is_dir()
    assert home.path.stat().st_mode & 0o066 == 0  # nobody else lists it or writes in it


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("\\chapter{One}")
    with pytest.raises(CannotStart, match=r"is not empty and not Lectern's: choose another folder with LECTERN_HOME"):
        Home(tmp_path).prepare()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CannotStart, match=r"is not a folder: choose another folder with LECTERN_HOME"):
            Home(path).prepare()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    # /proc refuses new folders to everyone, root included.
    path = Path("/proc/lectern") if os.geteuid() == 0 else tmp_path / "closed" / "home"
    if os.geteuid() != 0:
        path.parent.mkdir(mode=0o500)
    with pytest.raises(CannotStart, match=rf"cannot write in {path} \(.+\): choose another folder with LECTERN_HOME"):
        Home(path).prepare()


def test_one_supervisor_locks_a_home_until_it_dies(home: Home) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(home.path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        home.write_record(pid=holder.pid, url="http://127.0.0.1:8123")
        assert home.is_locked()
        with pytest.raises(CannotStart) as refused, home.locked():
            pass
        message = str(refused.value)
        assert f"process {holder.pid}" in message
        assert "http://127.0.0.1:8123" in message
        assert "make down" in message
        assert "\n" not in message
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    assert not home.is_locked()
    with home.locked():
        assert home.is_locked()


def test_a_lock_is_not_readable_by_other_users_who_could_hold_it(home: Home) -> None:
    home.lock.touch(0o644)  # of an earlier version
    with home.locked():
        assert home.lock.stat().st_mode & 0o777 == 0o600


def test_children_do_not_hold_the_lock(home: Home) -> None:
    with home.locked():
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        assert not home.is_locked()
    finally:
        child.kill()
        child.wait()


def test_the_record_is_replaced_whole(home: Home) -> None:
    assert home.read_record() is None
    home.write_record(pid=1, url="http://127.0.0.1:1")
    home.write_record(pid=2, url="http://127.0.0.1:2")
    assert home.read_record() == {"pid": 2, "url": "http://127.0.0.1:2"}
    assert json.loads(home.record.read_text())["pid"] == 2
    assert not [path for path in home.path.iterdir() if path.name.startswith(".stack.json")]


def test_a_secret_is_never_readable_by_others(tmp_path: Path) -> None:
    write_atomically(tmp_path / "key", "secret", mode=0o600)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_purge_deletes_only_a_home(tmp_path: Path, home: Home) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(CannotStart, match="does not carry Lectern's marker"):
        Home(tmp_path).purge()
    assert (tmp_path / "thesis.tex").exists()

    outside = tmp_path / "thesis.tex"
    (home.store / "link").symlink_to(outside)
    (home.path / "folder-link").symlink_to(tmp_path, target_is_directory=True)
    home.purge()
    assert not home.path.exists()
    assert outside.exists()
    home.purge()  # nothing left to delete is no error


def test_purge_spares_a_home_in_use(home: Home) -> None:
    with home.locked(), pytest.raises(CannotStart, match="already runs"):
        home.purge()
    assert home.marker.exists()
