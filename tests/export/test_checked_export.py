"""The export that is kept beside the downloads, and when it is made anew."""

from pathlib import Path

import pytest

from kokoro_export.checked_export import FOLDER, checked_export, key_of
from kokoro_export.verification import NotTheSame


class Export:
    """Writes its own number into the file."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, file: Path) -> dict[str, float]:
        self.times += 1
        file.write_text(str(self.times))
        return {"times": float(self.times)}


def test_it_is_made_once_and_its_figures_are_kept(tmp_path: Path) -> None:
    export = Export()
    for _ in range(3):
        file, figures = checked_export(tmp_path, "key", export)
        assert (file.read_text(), figures) == ("1", {"times": 1.0})


def test_another_key_replaces_it(tmp_path: Path) -> None:
    export = Export()
    checked_export(tmp_path, "key", export)
    file, figures = checked_export(tmp_path, "another", export)
    assert (file.read_text(), figures) == ("2", {"times": 2.0})
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER]


def test_a_file_that_was_changed_or_lost_is_made_anew(tmp_path: Path) -> None:
    export = Export()
    file, _ = checked_export(tmp_path, "key", export)
    file.write_text("damaged")
    assert checked_export(tmp_path, "key", export)[0].read_text() == "2"
    file.unlink()
    assert checked_export(tmp_path, "key", export)[0].read_text() == "3"


def test_what_the_checks_refuse_is_not_kept(tmp_path: Path) -> None:
    def refused(file: Path) -> dict[str, float]:
        file.write_text("wrong")
        raise NotTheSame("it sounds otherwise")

    with pytest.raises(NotTheSame):
        checked_export(tmp_path, "key", refused)
    assert not any(tmp_path.iterdir())
    assert checked_export(tmp_path, "key", Export())[0].read_text() == "1"


def test_the_key_follows_the_weights() -> None:
    keys = {key_of(weights) for weights in ({"random": "tiny"}, {"random": "full"}, {"model.pth": "00"}, {})}
    assert len(keys) == 4
    assert key_of({"random": "tiny"}) in keys
