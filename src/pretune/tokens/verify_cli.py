"""The command `pretune tokens verify`: says what is wrong with added tokens, or what was proved. Knows flags alone."""

from __future__ import annotations

import json
import sys

import click

from pretune.core.output import put


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
    from pretune.draw import console
    from pretune.tokens.verify import verify
    from pretune.tokens.verify_show import verdict_json, verdict_lines, verdict_text

    width = console.width_for(sys.stdout)
    verdict = verify(folder, against=against)
    if form == "json":
        put(json.dumps(verdict_json(verdict), ensure_ascii=False, indent=2) + "\n", output, escaped=True)
    elif output in (None, "-") and width is not None:
        console.write_folded(verdict_lines(verdict, folder), sys.stdout, width=width)
    else:
        put(verdict_text(verdict, folder), output)
    ctx.exit(0 if verdict.ok else 1)
