"""`up`: start the stack, read the sample document aloud, serve until told to stop."""

import asyncio
import os
import signal
from contextlib import suppress

from orchestrator.embedded import preflight
from orchestrator.embedded.configuration import StackConfiguration
from orchestrator.embedded.console import Console
from orchestrator.embedded.errors import CannotStart
from orchestrator.embedded.home import Home
from orchestrator.embedded.stack import running
from orchestrator.embedded.supervisor_log import supervisor_log

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def up(home: Home, console: Console, *, once: bool) -> None:
    """Run the stack until a stop signal, or with `once` until the sample is read and its sound is checked.

    Raises CannotStart.
    """
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
        # The handlers stay for good: a second Ctrl-C while stopping changes nothing.
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    home.prepare()
    with home.locked(), supervisor_log(home.log("supervisor"), console.step):
        serving = asyncio.create_task(_serve(home, console, once=once), name="stack")
        stopping = asyncio.create_task(stop.wait(), name="stop signal")
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        console.step("stopped")
    if once and stop.is_set():
        raise CannotStart("stopped before the sample was read")


async def _serve(home: Home, console: Console, *, once: bool) -> None:
    try:
        plan = StackConfiguration.of(home)
        _write_record(plan, "starting")
        await preflight.check(plan)
        console.step(f"Lectern starts in {home.path}")
        async with running(plan, console.step) as new_key:
            _write_record(plan, "ready")
            console.step("ready")
            if once or plan.sample:
                await _read_sample(plan, console, check=once)
            if not once:
                _tell(plan, console, new_key)
                await asyncio.Event().wait()
    finally:
        home.record.unlink(missing_ok=True)


async def _read_sample(plan: StackConfiguration, console: Console, *, check: bool) -> None:
    """With `check`, it is read in any case, and must succeed. Raises CannotStart only then."""
    from orchestrator.embedded.sample import read_sample  # noqa: PLC0415 - the codecs need not hold up the start

    try:
        heard = await read_sample(plan.home, plan.url, console.step, anew=check)
    except CannotStart as error:
        if check:
            raise
        console.error(str(error))  # what serves goes on serving
        return
    if heard is None:
        console.step(f"the sample document was read before, into {plan.home.sample}")
        return
    done = heard.progress
    console.step(
        f"read {done.blocks} blocks, {heard.sound.seconds:.0f} s of audio in {done.elapsed_seconds:.1f} s: "
        f"{done.times_real_time:.0f} times real time"
    )


def _write_record(plan: StackConfiguration, state: str) -> None:
    ports = {"api": plan.port}
    if not isinstance(plan.triton, str):
        ports |= {"triton_metrics": plan.triton.metrics_port}
    plan.home.write_record(state=state, pid=os.getpid(), url=plan.url, triton_url=plan.triton_url, ports=ports)


def _tell(plan: StackConfiguration, console: Console, new_key: str | None) -> None:
    home = plan.home
    console.say()
    if home.sample.exists():
        console.say(f"  sample    {home.sample}")
    console.say(f"  API       {plan.url}")
    console.say(f"  its docs  {plan.url}/docs")
    console.say(f"  API key   {home.api_key}" + (f" holds {new_key}, which is shown only now" if new_key else ""))
    console.say(f"  logs      {home.logs}")
    if not isinstance(plan.triton, str) and "kokoro" not in plan.triton.needs:
        console.say("  voices    espeak-ng's, which sound like a machine; `make kokoro` installs human ones")
    console.say()
    console.say("Lectern serves until Ctrl-C.")
