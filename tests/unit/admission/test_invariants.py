"""What holds for any sequence of comings, goings, cancellations and ends, also where several meet in one moment."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.admission.simulation import MODEL, Segment, Simulation, batch, live, settle

ACCOUNTS = ("ann", "bob", "cid")

commands = st.lists(
    st.one_of(
        st.tuples(st.just("bring"), st.sampled_from(ACCOUNTS), st.sampled_from(["needed", "ahead", "asked", "batch"])),
        st.tuples(st.sampled_from(["end", "cancel", "promote"]), st.integers(0, 5)),
        st.tuples(st.sampled_from(["step", "settle"])),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=200)
@given(slots=st.integers(1, 3), commands=commands)
def test_places_are_never_overdrawn_nor_left_empty(slots: int, commands: list[Any]) -> None:
    asyncio.run(_play(slots, commands))


async def _play(slots: int, commands: list[Any]) -> None:
    simulation = Simulation(slots)
    segments: list[Segment] = []
    for command, *arguments in commands:
        match command:
            case "bring":
                segments.append(_bring(simulation, *arguments))
            case "step":
                await asyncio.sleep(0)
            case "settle":
                await settle()
            case _ if segments:
                _change(command, segments[arguments[0] % len(segments)])
    await settle()
    _check_nobody_waits_for_nothing(simulation)
    while waiting := [one for one in segments if one.task and not one.task.done()]:  # until all have been in
        inside = [one for one in waiting if one.is_in]
        assert inside, "somebody waits, and nobody is in"
        inside[0].done.set()
        await settle()
        _check_nobody_waits_for_nothing(simulation)
    for segment in segments:
        assert segment.task is not None
        assert segment.task.cancelled() or segment.task.exception() is None
    queue = simulation.queue
    assert (queue.demand("live"), queue.demand("batch"), queue._in_slots) == ([], [], {})


def _bring(simulation: Simulation, name: str, kind: str) -> Segment:
    requester = {"batch": batch(name), "asked": live(name)}.get(kind, live(name, f"{name} listens"))
    segment = Segment(simulation.controller.expect(MODEL, requester, 10), requester)
    if kind == "needed":
        segment.ticket.promote(requester, needed=True)
    simulation.start(segment)
    assert segment.task is not None
    segment.task.add_done_callback(lambda _: segment.ticket.drop())
    return segment


def _change(command: str, segment: Segment) -> None:
    assert segment.task is not None
    if command == "end":
        segment.done.set()
    elif command == "cancel":
        segment.task.cancel()
    elif not segment.task.done():
        segment.ticket.promote(live("ann", "ann listens"), needed=True)


def _check_nobody_waits_for_nothing(simulation: Simulation) -> None:
    queue = simulation.queue
    ranks = queue._ranks()
    for waiting in queue._waiting:
        before = [one for one in queue._in_slots if ranks[one] <= ranks[waiting]]
        assert len(before) >= simulation.slots, "a slot is empty, or a later rank has it"


@given(st.lists(st.sampled_from(ACCOUNTS), min_size=2, max_size=30))
@settings(deadline=None)
def test_between_two_of_one_account_everybody_who_waits_has_a_turn(names: list[str]) -> None:
    asyncio.run(_take_turns(names))


async def _take_turns(names: list[str]) -> None:
    simulation = Simulation(slots=1)
    first = await simulation.bring(live("zoe"), needed=True)
    waiting = [await simulation.bring(live(name), needed=True) for name in names]
    served: list[str] = []
    current = first
    while True:
        await simulation.end(current)
        entered = [index for index, one in enumerate(waiting) if one.is_in]
        if not entered:
            break
        (index,) = entered
        current = waiting[index]
        served.append(names[index])
    assert sorted(served) == sorted(names)
    for slot, name in enumerate(served):
        later = next((other for other in range(slot + 1, len(served)) if served[other] == name), None)
        if later is not None:
            assert set(served[slot + 1 : later]) == set(served[slot + 1 :]) - {name}
