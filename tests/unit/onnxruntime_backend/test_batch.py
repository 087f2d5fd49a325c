import numpy as np
import pytest

from lectern_triton.onnxruntime_backend.batch import merge, split


def test_merged_and_split_again_all_is_as_before() -> None:
    feeds = [{"ids": np.arange(size * 3).reshape(size, 3), "speed": np.full(size, float(size))} for size in (1, 3, 2)]
    merged = merge(feeds)
    assert merged["ids"].shape == (6, 3)
    for feed, part in zip(feeds, split(merged, [1, 3, 2]), strict=True):
        assert all(np.array_equal(feed[name], part[name]) for name in feed)


def test_one_request_is_not_copied() -> None:
    feed = {"ids": np.zeros((1, 3))}
    assert merge([feed])["ids"] is feed["ids"]


@pytest.mark.parametrize("shape", [(5, 2), ()])
def test_a_model_that_loses_a_row_is_caught(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="sound"):
        split({"sound": np.zeros(shape)}, [2, 4])
