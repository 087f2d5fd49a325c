"""`lectern status`: whether the server, or Triton, can speak now."""

import argparse

from lectern.cli import triton
from lectern.cli.errors import FAILURE, OK
from lectern.cli.options import Commands, add_command, add_triton, server_url
from lectern.cli.output import print_json
from lectern.rest.sync import Client
from lectern.types import Check, Status


def add(commands: Commands) -> None:
    parser = add_command(commands, "status", "say whether the server is ready to speak (exit code 0) or not (1)")
    add_triton(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    address, status = (options.triton, triton.status(options)) if options.triton else _status(options)
    if options.json:
        print_json(status)
    else:
        print(f"{address} is {status.status} (version {status.version})")
        for check in status.checks:
            print(f"  {'ok    ' if check.ok else 'failed'}  {check.name}{_remark(check)}")
    return OK if status.ready else FAILURE


def _status(options: argparse.Namespace) -> tuple[str, Status]:
    with Client(server_url(options)) as client:
        return client.url, client.status()


def _remark(check: Check) -> str:
    age = "" if check.age_seconds is None else f"{check.age_seconds:.0f} s ago"
    remarks = ", ".join(remark for remark in (check.detail, age) if remark)
    return f": {remarks}" if remarks else ""
