"""Judges the plant's own symbols: an SVG that cannot be drawn is told before anybody looks for it on a screen."""

from collections.abc import Mapping
from xml.parsers.expat import ExpatError, ParserCreate, XMLParserType

from hmi.config.code import Code
from hmi.config.report import Report
from hmi.core.problem import Place


class _UnwantedError(Exception):
    """What the file says is valid, but not taken."""


def check_symbols(files: Mapping[str, str], report: Report) -> None:
    """Report every file of symbols/ that is no SVG."""
    for file, text in files.items():
        if not file.startswith("symbols/") or not file.endswith(".svg"):
            continue
        parser = ParserCreate()
        _only_svg(parser)
        try:
            parser.Parse(text, True)
        except ExpatError as error:
            place = Place(file, error.lineno, error.offset + 1)
            report.error(place, Code.SYNTAX, "this is no valid SVG", "save it anew with the program that drew it")
        except _UnwantedError as error:
            place = Place(file, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)
            report.error(place, Code.SYNTAX, str(error))


def _only_svg(parser: XMLParserType) -> None:
    depth = 0

    def begin(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal depth
        if not depth and name.rpartition(":")[2] != "svg":
            raise _UnwantedError(f"an SVG begins with <svg>, not with <{name}>")
        depth += 1

    def entity(*_: object) -> None:
        raise _UnwantedError("an SVG with entities of its own is not taken")

    parser.StartElementHandler = begin
    parser.EntityDeclHandler = entity
