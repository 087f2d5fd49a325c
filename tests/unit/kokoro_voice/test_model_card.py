"""The version in Kokoro's card, by which audio is cached."""

from pathlib import Path

from kokoro_voice.model_card import read_installed

TAGGER = Path("kokoro_g2p", "en_core_web_sm")


def version(repository: Path) -> str:
    folder = repository / "kokoro"
    folder.mkdir(exist_ok=True)
    (folder / "card.json").write_text('{"version": "abc", "precision": "fp32", "weights": "tiny"}')
    return read_installed(folder).version


def write_tagger(repository: Path, content: bytes) -> None:
    for part in ("tok2vec", "tagger"):
        (repository / TAGGER / part).mkdir(parents=True, exist_ok=True)
        (repository / TAGGER / part / "model").write_bytes(content)


def test_the_version_changes_with_the_tagger_by_which_words_are_read(tmp_path: Path) -> None:
    without = version(tmp_path)
    write_tagger(tmp_path, b"one")
    one = version(tmp_path)
    write_tagger(tmp_path, b"two")
    assert len({without, one, version(tmp_path)}) == 3
    assert without == "abc"
