"""`lectern voices`: lists the voices, and makes, changes and deletes custom voices."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from lectern.atomic_file import atomic_file
from lectern.cli import triton
from lectern.cli.errors import OK, UsageError
from lectern.cli.options import Commands, add_command, add_triton, read_text, server_url
from lectern.cli.output import check_path, print_json
from lectern.errors import NotFoundError
from lectern.rest.sync import Client
from lectern.types import CustomVoice, Voice
from lectern_contract.voice_mixes import NoMix, weighed


def add(commands: Commands) -> None:
    parser = add_command(commands, "voices", "list the voices, or make, change and delete custom voices")
    _add_list_options(parser)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    _add_list_options(add_command(actions, "list", "list the voices, as without an action", within=parser))
    parser.set_defaults(name=None, description=None, transcript=None)
    add_action = partial(add_command, actions, within=parser)
    _add_add(add_action)
    mix = add_action("mix", "make a custom voice of a mix of a model's voices")
    mix.add_argument("name", metavar="NAME")
    mix.add_argument("mix", metavar="MIX", help="such as af_heart(2)+af_sky(1)")
    _add_description(mix)
    mix.set_defaults(run=_mix)
    show = add_action("show", "show a custom voice")
    show.set_defaults(run=_show)
    change = add_action("change", "change the name, description, language or transcript of a custom voice")
    change.add_argument("--name", metavar="NAME")
    change.add_argument("--description", metavar="TEXT")
    change.add_argument("--language", metavar="TAG", help="what it speaks, such as en-GB")
    change.add_argument("--transcript", metavar="FILE", help="what is said in its recording; - for stdin")
    change.set_defaults(run=_change)
    delete = add_action("delete", "delete a custom voice and its recording")
    delete.set_defaults(run=_delete)
    preview = add_action("preview", "fetch a short sample of a voice, as MP3")
    preview.set_defaults(run=_preview)
    recording = add_action("recording", "fetch the recording of a custom voice, as FLAC")
    recording.set_defaults(run=_recording)
    for action in (show, change, delete, preview, recording):
        action.add_argument("voice", metavar="VOICE", help="its name, or its id")
        action.add_argument("--model", metavar="NAME", help="if several models have a voice of that name")
    for action in (preview, recording):
        action.add_argument("-o", "--output", required=True, metavar="FILE", help="where it goes")


def _add_list_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="only this model's")
    parser.add_argument("--language", metavar="TAG", help="only this language's, such as en or en-GB")
    add_triton(parser)
    parser.set_defaults(run=_list)


def _add_add(add_action: Callable[..., argparse.ArgumentParser]) -> None:
    parser = add_action(
        "add",
        "make a custom voice of a recording",
        details="The recording has 3 to 30 seconds of one voice, and nothing else. Ask the speaker first.\n",
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--audio", required=True, metavar="FILE", help="WAV, FLAC, MP3, Ogg, M4A or WebM")
    parser.add_argument("--transcript", required=True, metavar="FILE", help="what is said in it; - for stdin")
    parser.add_argument("--speaker", required=True, metavar="NAME", help="whose voice it is")
    parser.add_argument("--consent", required=True, metavar="TEXT", help="the words in which the speaker agreed")
    _add_description(parser)
    parser.set_defaults(run=_add_voice)


def _add_description(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--description", metavar="TEXT", help="for people")
    parser.add_argument("--language", metavar="TAG", help="what it speaks, such as en-GB")
    parser.add_argument("--model", metavar="NAME", help="if several models would do")


def _list(options: argparse.Namespace) -> int:
    if options.triton:
        voices = triton.voices(options)
    else:
        with _client(options) as client:
            voices = client.voices(model=options.model, language=options.language)
    if options.json:
        print_json({"items": voices})
    else:
        _print_table(voices)
    return OK


def _add_voice(options: argparse.Namespace) -> int:
    audio, transcript = _read_bytes(options.audio), read_text(options.transcript)
    with _client(options) as client:
        voice = client.create_voice(
            audio,
            name=options.name,
            transcript=transcript,
            consent=options.consent,
            speaker=options.speaker,
            language=options.language,
            description=options.description,
            model=options.model,
        )
    return _print_voice(options, voice)


def _mix(options: argparse.Namespace) -> int:
    try:
        mix = weighed(options.mix)
    except NoMix as error:
        raise UsageError(str(error)) from error
    with _client(options) as client:
        voice = client.create_mix(
            options.name, mix, language=options.language, description=options.description, model=options.model
        )
    return _print_voice(options, voice)


def _show(options: argparse.Namespace) -> int:
    with _client(options) as client:
        return _print_voice(options, client.get_voice(_custom_id(client, options)))


def _change(options: argparse.Namespace) -> int:
    transcript = read_text(options.transcript) if options.transcript else None
    with _client(options) as client:
        voice = client.change_voice(
            _custom_id(client, options),
            name=options.name,
            description=options.description,
            language=options.language,
            transcript=transcript,
        )
    return _print_voice(options, voice)


def _delete(options: argparse.Namespace) -> int:
    with _client(options) as client:
        voice = _custom_id(client, options)
        client.delete_voice(voice)
    if options.json:
        print_json({"id": voice, "deleted": True})
    else:
        print(f"{options.voice}: deleted")
    return OK


def _preview(options: argparse.Namespace) -> int:
    check_path(Path(options.output))
    with _client(options) as client:
        return _save(options, client.voice_preview(options.voice, model=options.model))


def _recording(options: argparse.Namespace) -> int:
    check_path(Path(options.output))
    with _client(options) as client:
        return _save(options, client.voice_recording(_custom_id(client, options)))


def _client(options: argparse.Namespace) -> Client:
    return Client(server_url(options))


def _custom_id(client: Client, options: argparse.Namespace) -> str:
    """Returns the id of the custom voice with that name. Raises NotFoundError, or UsageError if several have it."""
    name = options.voice
    custom = {voice.id: voice for voice in client.voices(model=options.model) if voice.id is not None}
    found = [id_ for id_, voice in custom.items() if name in (id_, voice.slug, voice.name)]
    if not found:
        raise NotFoundError(404, "Not found", f"you have no custom voice that is called {name}")
    if len(found) > 1:
        which = ", ".join(f"{id_} ({custom[id_].model})" for id_ in found)
        raise UsageError(f"several custom voices are called {name}: name one by its id, or by --model too: {which}")
    return found[0]


def _print_table(voices: Sequence[Voice]) -> None:
    rows = [("NAME", "MODEL", "LANGUAGE", "GENDER", "DESCRIPTION")]
    rows += [
        (voice.slug or voice.name, voice.model, voice.language, voice.gender or "-", _description(voice))
        for voice in voices
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _description(voice: Voice) -> str:
    if voice.id is None:
        return voice.description
    custom = "custom" if voice.name == voice.slug else f"custom: {voice.name}"
    return f"{custom}; {voice.description}" if voice.description else custom


def _print_voice(options: argparse.Namespace, voice: CustomVoice) -> int:
    if options.json:
        print_json(voice)
        return OK
    facts = {
        "id": voice.id,
        "name": voice.name,
        "model": voice.model,
        "language": voice.language,
        "description": voice.description,
        "mix": "+".join(f"{name}({weight:g})" for name, weight in (voice.mix or {}).items()),
    }
    if (prompt := voice.prompt) is not None:
        consent = prompt.consent
        facts["recording"] = f"{prompt.seconds:.1f} s: {prompt.transcript}"
        facts["consent"] = f"{consent.speaker}, {consent.recorded_at:%Y-%m-%d}: {consent.statement}"
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


def _read_bytes(name: str) -> bytes:
    """Returns the content of a file. Raises UsageError."""
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from error
