"""The command `up`: start the stack, read the sample document aloud, serve until a stop signal."""

import asyncio
import os
import signal
from contextlib import suppress

from orchestrator.embedded import CannotStart, preflight
from orchestrator.embedded.configuration import StackConfiguration
from orchestrator.embedded.home import Home
from orchestrator.embedded.stack import running
from orchestrator.embedded.stack_commands import Console
from orchestrator.embedded.supervisor_log import supervisor_log

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def up(home: Home, console: Console, *, once: bool) -> None:
    """Runs the stack until a stop signal, or with `once` until the sample is read and its audio is checked.

    Raises CannotStart.
    """
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
        # The handlers stay: a second Ctrl-C during the stop changes nothing.
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
        configuration = StackConfiguration.of(home)
        _write_record(configuration, "starting")
        await preflight.check(configuration)
        console.step(f"Lectern starts in {home.path}")
        async with running(configuration, console.step) as new_key:
            _write_record(configuration, "ready")
            console.step("ready")
            if once or configuration.sample:
                await _read_sample(configuration, console, check=once)
            if not once:
                _print_summary(configuration, console, new_key)
                await asyncio.Event().wait()
    finally:
        home.record.unlink(missing_ok=True)


async def _read_sample(configuration: StackConfiguration, console: Console, *, check: bool) -> None:
    """Reads the sample if need be. With `check`, reads it in any case, and raises CannotStart if that fails."""
    from orchestrator.embedded.sample_document import read_sample  # noqa: PLC0415 - the codecs need not hold up the start

    try:
        reading = await read_sample(configuration.home, configuration.url, console.step, anew=check)
    except CannotStart as error:
        if check:
            raise
        console.error(str(error))  # the stack goes on without the sample
        return
    if reading is None:
        console.step(f"the sample document was read before, into {configuration.home.sample}")
        return
    done = reading.progress
    console.step(
        f"read {done.blocks} blocks, {reading.sound.seconds:.0f} s of audio in {done.elapsed_seconds:.1f} s: "
        f"{done.times_real_time:.0f} times real time"
    )


def _write_record(configuration: StackConfiguration, state: str) -> None:
    ports = {"api": configuration.port}
    if not isinstance(configuration.triton, str):
        ports |= {"triton_metrics": configuration.triton.metrics_port}
    configuration.home.write_record(
        state=state, pid=os.getpid(), url=configuration.url, triton_url=configuration.triton_url, ports=ports
    )


def _print_summary(configuration: StackConfiguration, console: Console, new_key: str | None) -> None:
    home = configuration.home
    console.say()
    if home.sample.exists():
        console.say(f"  sample    {home.sample}")
    console.say(f"  API       {configuration.url}")
    console.say(f"  its docs  {configuration.url}/docs")
    console.say(f"  API key   {home.api_key}" + (f" holds {new_key}, which is shown only now" if new_key else ""))
    console.say(f"  logs      {home.logs}")
    if not isinstance(configuration.triton, str) and "kokoro" not in configuration.triton.needs:
        console.say("  voices    espeak-ng's, which sound like a machine; `make kokoro` installs 54 human ones:")
        console.say("            some minutes, 350 MB of weights to download besides PyTorch, 2 GB of disk or more")
    console.say()
    console.say("Lectern serves until Ctrl-C.")
