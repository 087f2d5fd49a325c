import threading

import pytest

from lectern_contract import LANES
from lectern_triton.voice_backend.lane_queue import LaneFull, LaneQueue


def lanes(live: int = 3, batch: int = 3) -> LaneQueue[str]:
    return LaneQueue({"live": live, "batch": batch})


def test_live_comes_before_batch_and_each_lane_keeps_its_order() -> None:
    queue = lanes()
    for job in ("b1", "b2"):
        queue.put("batch", job)
    for job in ("l1", "l2"):
        queue.put("live", job)
    assert [queue.take() for _ in range(4)] == ["l1", "l2", "b1", "b2"]


def test_a_full_lane_refuses_and_the_other_does_not() -> None:
    queue = lanes(live=1, batch=1)
    queue.put("batch", "b1")
    with pytest.raises(LaneFull):
        queue.put("batch", "b2")
    queue.put("live", "l1")


def test_what_an_idle_worker_will_take_at_once_does_not_count_as_waiting() -> None:
    queue = lanes(live=0)
    taken: list[str | None] = []
    worker = threading.Thread(target=lambda: taken.append(queue.take()))
    worker.start()
    while queue.idle != 1:
        pass
    queue.put("live", "job")
    worker.join(5)
    assert taken == ["job"]
    with pytest.raises(LaneFull):
        queue.put("live", "another")


def test_what_idle_workers_will_take_leaves_its_lane_the_whole_of_its_room() -> None:
    queue = lanes(live=1, batch=1)
    workers = [threading.Thread(target=queue.take) for _ in range(2)]
    with queue._changed:  # they are idle, and cannot take anything yet
        queue._idle += 2
        queue.put("batch", "b1")
        for _ in range(3):
            queue.put("live", "job")
        for lane in LANES:
            with pytest.raises(LaneFull):
                queue.put(lane, "one too many")
        queue._idle -= 2
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(5)
    assert queue.waiting == {"live": 1, "batch": 1}


def test_a_job_is_removed_only_while_it_waits() -> None:
    queue = lanes()
    queue.put("live", "job")
    assert queue.remove("live", "job")
    assert not queue.remove("live", "job")


def test_closing_frees_the_workers_and_returns_what_waits() -> None:
    queue = lanes()
    queue.put("batch", "b1")
    queue.put("live", "l1")
    assert queue.close() == ["l1", "b1"]
    assert queue.take() is None
    with pytest.raises(LaneFull):
        queue.put("live", "late")
