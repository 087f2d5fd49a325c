import pytest

from orchestrator.lib.errors.problems import NotFound
from orchestrator.playback.playlist import Playlist
from tests.unit.playback.fakes import block_id, summaries


def test_only_blocks_that_are_read_aloud_count() -> None:
    playlist = Playlist(summaries(6, unread=(1, 2, 5)))
    assert [block.position for block in playlist.blocks] == [0, 3, 4]


def test_a_position_in_a_block_that_is_not_read_aloud_means_the_next_that_is() -> None:
    playlist = Playlist(summaries(6, unread=(1, 2, 5)))
    assert playlist.locate(block_id(0), 2.5) == (0, 2.5)
    assert playlist.locate(block_id(1), 2.5) == (1, 0.0)
    assert playlist.locate(block_id(2), 2.5) == (1, 0.0)
    assert playlist.locate(block_id(4), 2.5) == (2, 2.5)
    assert playlist.locate(block_id(5), 2.5) == (3, 0.0)  # behind the last


def test_an_unknown_block_is_refused() -> None:
    with pytest.raises(NotFound):
        Playlist(summaries(3)).locate(block_id(7), 0.0)


def test_a_document_without_a_word_cannot_be_played() -> None:
    with pytest.raises(NotFound):
        Playlist(summaries(2, unread=(0, 1)))


def test_speed_shortens_the_expected_duration() -> None:
    assert Playlist(summaries(1), speed=2.0).blocks[0].seconds == 5.0


def test_a_long_document_is_told_in_batches() -> None:
    playlist = Playlist(summaries(4_500))
    batches = list(playlist.batches())
    assert [len(batch) for batch in batches] == [2_000, 2_000, 500]
    assert [block for batch in batches for block in batch] == playlist.blocks
