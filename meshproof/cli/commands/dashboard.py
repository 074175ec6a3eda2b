"""``dashboard``: a running mesh as a page in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.interrupts import Interrupted, interrupts
from meshproof.cli.options import DEFAULT_NAME, Name, client
from meshproof.cli.output import print_message

RULES = Path("rules")


@app.command()
def dashboard(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0: 9080, or a free one.")
    ] = 0,
    rules: Annotated[
        Path, typer.Option(help="Folder of the rule files that the page can apply.")
    ] = RULES,
    name: Name = DEFAULT_NAME,
) -> None:
    """Serve a live page of the mesh until Ctrl-C (docs/dashboard.md)."""
    import asyncio  # noqa: PLC0415  (other commands start quicker without)

    from meshproof.dashboard.serve import listen, new_token, page_url, serve, wait_forever  # noqa: PLC0415

    client(name)
    token = new_token()
    with listen(port) as sock:
        print_message(f"the dashboard of mesh {name}; Ctrl-C ends it")
        print(page_url(sock, token), flush=True)
        try:
            with interrupts(name):
                asyncio.run(serve(name, sock, token, rules.absolute(), wait_forever))
        except Interrupted:
            print_message("the dashboard has ended")
