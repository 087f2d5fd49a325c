"""`lectern voices add` and what else is done with voices of one's own."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lectern.atomic_file import atomic_file
from lectern.cli.exits import OK, UsageError
from lectern.cli.options import Commands, add_command, server_url, text_from
from lectern.cli.output import check_place, print_json
from lectern.errors import NotFoundError
from lectern.types import CustomVoice
from lectern_contract.mixes import NoMix, weighed

if TYPE_CHECKING:
    from lectern.rest.sync import Client


def add(actions: Commands, within: argparse.ArgumentParser) -> None:
    """`within`: the parser of `lectern voices`."""
    within.set_defaults(name=None, description=None, transcript=None)
    add_action = partial(add_command, actions, within=within)
    _add_add(add_action)
    mix = add_action("mix", "keep a mix of a model's voices under a name")
    mix.add_argument("name", metavar="NAME")
    mix.add_argument("mix", metavar="MIX", help="such as af_heart(2)+af_sky(1)")
    _add_about(mix)
    mix.set_defaults(run=_mix)
    show = add_action("show", "tell what there is to know of a voice of your own")
    show.set_defaults(run=_show)
    change = add_action("change", "change what a voice of your own is called")
    change.add_argument("--name", metavar="NAME")
    change.add_argument("--description", metavar="TEXT")
    change.add_argument("--language", metavar="TAG", help="what it speaks, such as en-GB")
    change.add_argument("--transcript", metavar="FILE", help="what is said in its recording; - for stdin")
    change.set_defaults(run=_change)
    delete = add_action("delete", "delete a voice of your own, and its recording")
    delete.set_defaults(run=_delete)
    preview = add_action("preview", "fetch a short sample of a voice, as MP3")
    preview.set_defaults(run=_preview)
    recording = add_action("recording", "fetch what a voice of your own speaks like, as FLAC")
    recording.set_defaults(run=_recording)
    for parser in (show, change, delete, preview, recording):
        parser.add_argument("voice", metavar="VOICE", help="its name, or its id")
        parser.add_argument("--model", metavar="NAME", help="if several models have a voice of that name")
    for parser in (preview, recording):
        parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where it goes")


def _add_add(add_action: Callable[..., argparse.ArgumentParser]) -> None:
    parser = add_action(
        "add",
        "make a voice of a recording",
        details="The recording has 3 to 30 seconds of one voice, and nothing else. Ask whose it is before.\n",
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--audio", required=True, metavar="FILE", help="WAV, FLAC, MP3, Ogg, M4A or WebM")
    parser.add_argument("--transcript", required=True, metavar="FILE", help="what is said in it; - for stdin")
    parser.add_argument("--speaker", required=True, metavar="NAME", help="whose voice it is")
    parser.add_argument("--consent", required=True, metavar="TEXT", help="the words in which the speaker agreed")
    _add_about(parser)
    parser.set_defaults(run=_make)


def _add_about(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--description", metavar="TEXT", help="for people")
    parser.add_argument("--language", metavar="TAG", help="what it speaks, such as en-GB")
    parser.add_argument("--model", metavar="NAME", help="if several models would do")


def _make(options: argparse.Namespace) -> int:
    audio, transcript = _content(options.audio), text_from(options.transcript)
    with _client(options) as client:
        made = client.create_voice(
            audio,
            name=options.name,
            transcript=transcript,
            consent=options.consent,
            speaker=options.speaker,
            language=options.language,
            description=options.description,
            model=options.model,
        )
    return _tell(options, made)


def _mix(options: argparse.Namespace) -> int:
    try:
        mix = weighed(options.mix)
    except NoMix as error:
        raise UsageError(str(error)) from error
    with _client(options) as client:
        made = client.create_mix(
            options.name, mix, language=options.language, description=options.description, model=options.model
        )
    return _tell(options, made)


def _show(options: argparse.Namespace) -> int:
    with _client(options) as client:
        return _tell(options, client.get_voice(_id(client, options)))


def _change(options: argparse.Namespace) -> int:
    transcript = text_from(options.transcript) if options.transcript else None
    with _client(options) as client:
        changed = client.change_voice(
            _id(client, options),
            name=options.name,
            description=options.description,
            language=options.language,
            transcript=transcript,
        )
    return _tell(options, changed)


def _delete(options: argparse.Namespace) -> int:
    with _client(options) as client:
        voice = _id(client, options)
        client.delete_voice(voice)
    if options.json:
        print_json({"id": voice, "deleted": True})
    else:
        print(f"{options.voice}: deleted")
    return OK


def _preview(options: argparse.Namespace) -> int:
    check_place(Path(options.output))
    with _client(options) as client:
        return _save(options, client.voice_preview(options.voice, model=options.model))


def _recording(options: argparse.Namespace) -> int:
    check_place(Path(options.output))
    with _client(options) as client:
        return _save(options, client.voice_recording(_id(client, options)))


def _client(options: argparse.Namespace) -> "Client":
    from lectern.rest.sync import Client  # noqa: PLC0415 - slow to import, and --help needs none of it

    return Client(server_url(options))


def _id(client: "Client", options: argparse.Namespace) -> str:
    """Of the voice of one's own that is called so. Raises NotFoundError, or UsageError for a name of several."""
    called = options.voice
    own = {voice.id: voice for voice in client.voices(model=options.model) if voice.id is not None}
    found = [id_ for id_, voice in own.items() if called in (id_, voice.slug, voice.name)]
    if not found:
        raise NotFoundError(404, "Not found", f"you have no voice of your own that is called {called}")
    if len(found) > 1:
        which = ", ".join(f"{id_} ({own[id_].model})" for id_ in found)
        raise UsageError(f"several of your voices are called {called}: name one by its id, or by --model too: {which}")
    return found[0]


def _tell(options: argparse.Namespace, voice: CustomVoice) -> int:
    if options.json:
        print_json(voice)
        return OK
    facts = {
        "id": voice.id,
        "name": voice.name,
        "model": voice.model,
        "language": voice.language,
        "description": voice.description,
        "mix": "+".join(f"{part}({weight:g})" for part, weight in (voice.mix or {}).items()),
    }
    if (prompt := voice.prompt) is not None:
        facts["recording"] = f"{prompt.seconds:.1f} s: {prompt.transcript}"
        facts["consent"] = (
            f"{prompt.consent.speaker}, {prompt.consent.recorded_at:%Y-%m-%d}: {prompt.consent.statement}"
        )
    print(f"{voice.slug}:")
    for name, fact in facts.items():
        if fact:
            print(f"  {name:<11}  {fact}")
    return OK


def _save(options: argparse.Namespace, content: bytes) -> int:
    with atomic_file(Path(options.output)) as file:
        file.write(content)
    if options.json:
        print_json({"file": options.output, "bytes": len(content)})
    else:
        print(f"{options.output}: {len(content)} bytes")
    return OK


def _content(name: str) -> bytes:
    """Raises UsageError."""
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from error
