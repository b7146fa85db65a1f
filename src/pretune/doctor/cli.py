"""The command `pretune doctor`: looks, shows, and ends with 1 where something does not work. Knows no model."""

from __future__ import annotations

import click


@click.command(
    "doctor",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit code: 0 nothing is known not to work here, 1 something does not (an error), 2 a mistake in the call."
    " Warnings, notes and missing extras leave it at 0.",
)
@click.option("--no-devices", is_flag=True, help="Leave torch alone, which takes seconds to be imported.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs and for bug reports.")
def command(*, no_devices: bool, as_json: bool) -> int:
    """Say what is installed here, what is missing and how to get it.

    Versions, devices, extras, the hub's cache and offline switch, the targets of knock, and combinations that are known
    not to work. Nothing is sent, nothing is loaded, no secret is shown.
    """
    from pretune.doctor.look import look

    found = look(devices=not no_devices)
    if as_json:
        import json

        click.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
    else:
        import sys

        from pretune.doctor.show import report
        from pretune.draw import console

        console.write(report(found, console.width_for(sys.stdout)), sys.stdout)
    return 0 if found.ok else 1
