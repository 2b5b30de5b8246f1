"""The command line: one module a command, one line in the table."""

import argparse
import errno
import importlib
import re
import sys
from collections.abc import Sequence
from typing import Protocol

COMMANDS: dict[str, str] = {
    "demo": "hmi.cli.demo",
    "new": "hmi.cli.new",
    "check": "hmi.cli.check",
    "run": "hmi.cli.run",
    "status": "hmi.cli.status",
    "stop": "hmi.cli.stop",
    "render": "hmi.cli.render",
    "export": "hmi.cli.export",
    "schema": "hmi.cli.schema",
    "collect": "hmi.cli.collect",
    "version": "hmi.cli.version",
}
"""In the order in which an engineer meets them."""

SUMMARY: dict[str, str] = {
    "demo": "run a waterworks of simulated devices, with everything",
    "new": "make a small plant that runs and explains itself",
    "check": "find what is wrong with a plant's files",
    "run": "run a plant: start its collector and open the window",
    "status": "say what the collector of a plant is doing",
    "stop": "stop the collector of a plant",
    "render": "make a picture of a screen",
    "export": "write history to a CSV file",
    "schema": "write JSON Schemas, so that an editor completes a plant's files",
    "collect": "the collector itself, in the foreground (run starts it for you)",
    "version": "say which version this is",
}

GOOD, PROBLEMS, WRONG_USAGE = 0, 1, 2
"""Exit codes of every command."""


class Command(Protocol):
    """What a module of a command offers. It is imported only when its command is used."""

    HELP: str

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None: ...
    @staticmethod
    def run(args: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return GOOD if words else WRONG_USAGE
    if words[0] == "--version":
        words[0] = "version"
    name = words[0]
    if name not in COMMANDS:
        from hmi.core.problem import did_you_mean

        hint = did_you_mean(name, COMMANDS)
        print(f"hmi: there is no command '{name}'{f' ({hint})' if hint else ''}\n\n{_overview()}", file=sys.stderr)
        return WRONG_USAGE
    module: Command = importlib.import_module(COMMANDS[name])  # type: ignore[assignment]
    parser = argparse.ArgumentParser(
        prog=f"hmi {name}", description=module.HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    module.add_arguments(parser)
    try:
        args = parser.parse_args(_times_joined(words[1:]))
    except SystemExit as end:  # argparse has printed what is wrong
        return int(end.code or 0)
    try:
        return module.run(args)
    except KeyboardInterrupt:
        print(f"hmi {name}: stopped", file=sys.stderr)
        return GOOD
    except BrokenPipeError:
        return GOOD
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        # The terminal was closed; what was running has been ended in order.
        return GOOD


def _times_joined(words: Sequence[str]) -> list[str]:
    """`--from -2h` as `--from=-2h`: argparse would take the time for an option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].startswith("--") and "=" not in joined[-1] and re.match(r"-\d", word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {SUMMARY[name]}" for name in COMMANDS]
    return "\n".join(
        [
            "usage: hmi COMMAND [options]",
            "",
            *lines,
            "",
            "hmi COMMAND --help explains one. Exit codes: 0 good, 1 problems found, 2 wrong usage.",
        ]
    )
