"""The command `pretune tokens verify`: says what is wrong with added tokens, or what was proved. Knows flags alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command("verify", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", metavar="DIR")
@click.option("--against", metavar="MODEL", help="The model as it was before; what changed is told too.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="How it is written.")
@click.option("-o", "--output", metavar="FILE", help="Write it there instead of to the terminal.")
@click.pass_context
def command(ctx: click.Context, /, folder: str, against: str | None, form: str, output: str | None) -> None:
    """Prove that tokens were added well to the model in DIR, or name what is wrong.

    Whoever added them, and however. Exit code 1 when there is an error or a warning.
    """
    from pretune.tokens.verify import verify
    from pretune.tokens.verify_show import verdict_json, verdict_text

    verdict = verify(folder, against=against)
    if form == "json":
        written = json.dumps(verdict_json(verdict), ensure_ascii=False, indent=2) + "\n"
    else:
        written = verdict_text(verdict, folder)
    if output in (None, "-"):
        sys.stdout.write(written)
    else:
        from pretune.core.files import write_atomically

        write_atomically(Path(str(output)), written.encode())
    ctx.exit(0 if verdict.ok else 1)
