"""Reads tags/*.csv and tags/*.yaml into entries; what they mean together is judged by `hmi.config.tags`."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode

from hmi.config.code import Code
from hmi.config.entry import TagEntry, TagFileEntry, TemplateEntry
from hmi.config.excused import Excused
from hmi.config.filling import fill
from hmi.config.origin import CsvOrigin, Origin, YamlOrigin
from hmi.config.report import Report
from hmi.config.tree import Scalar, child, items, key_text, place_of, plain, read_tree
from hmi.config.wording import checked, findings_of, place_of_finding
from hmi.core.expression import TAG_PATTERN
from hmi.core.problem import Place, did_you_mean

COLUMNS = ("name", *TagEntry.model_fields)
_NUMBERS = frozenset(
    {"low", "high", "normal_low", "normal_high", "deadband", "raw_low", "raw_high", "scale", "offset"}
    | {"write_low", "write_high"}
)
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
NAME_HINT = "letters, digits, '_' and '-', joined by dots, such as north.FT-401.PV"


@dataclass(frozen=True, slots=True)
class Written:
    """A tag as a file says it."""

    name: str
    entry: TagEntry
    origin: Origin


def read_csv(file: str, text: str, excused: Excused, report: Report) -> list[Written]:
    """The rows of a CSV file. Empty rows, and rows whose first cell begins with `#`, are left out."""
    delimiter = _delimiter(text)
    rows = _rows(file, text, delimiter, excused, report)
    heading = next(rows, None)
    if heading is None:
        hint = f"it begins with: {','.join(COLUMNS[:6])} and so on"
        report.error(Place(file), Code.SYNTAX, "the file holds no heading", hint)
        return []
    columns = _columns(file, heading, report)
    if columns is None:
        excused.everything()
        return []
    found = []
    for row, cells in rows:
        written = _read_row(CsvOrigin(file, row), columns, len(heading[1]), cells, delimiter, report)
        if written is not None:
            found.append(written)
        else:
            excused.tag(cells[columns.index("name")].strip() if columns.index("name") < len(cells) else "")
    return found


def _delimiter(text: str) -> str:
    for line in text.splitlines():
        if line.strip() and not line.lstrip('"').startswith("#"):
            return ";" if line.count(";") > line.count(",") else ","
    return ","


def _rows(file: str, text: str, delimiter: str, excused: Excused, report: Report) -> Iterator[tuple[int, list[str]]]:
    row = 0
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            row += 1
            if any(cell.strip() for cell in cells) and not cells[0].startswith("#"):
                yield row, cells
    except csv.Error:
        excused.everything()
        report.error(Place(file, row + 1, 1), Code.SYNTAX, "a quotation mark is out of place", 'inside a text write ""')


def _columns(file: str, heading: tuple[int, list[str]], report: Report) -> list[str] | None:
    row, cells = heading
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    good = True
    for i, name in enumerate(names):
        place = Place(file, row, 0, name or f"column {i + 1}")
        if name not in COLUMNS:
            what = f"unknown column '{name}'" if name else "a column without a heading"
            report.error(place, Code.COLUMN_UNKNOWN, what, did_you_mean(name, COLUMNS))
            good = False
        elif name in names[:i]:
            report.error(place, Code.KEY_TWICE, f"column '{name}' given twice")
            good = False
    if "name" not in names:
        report.error(Place(file, row, 1), Code.KEY_MISSING, "the column 'name' is missing")
        good = False
    return names if good else None


def _read_row(
    origin: CsvOrigin, columns: list[str], width: int, cells: list[str], delimiter: str, report: Report
) -> Written | None:
    values: dict[str, str] = {}
    for column, cell in zip(columns, cells, strict=False):
        value = cell.strip()
        if not value:
            continue
        if delimiter == ";" and column in _NUMBERS and _DECIMAL_COMMA.fullmatch(value):
            value = value.replace(",", ".")
        values[column] = value
    name = values.pop("name", "")
    entry, findings = None, []
    try:
        entry = TagEntry.model_validate(values)
    except ValidationError as error:
        findings = findings_of(error, TagEntry)
    if any(cell.strip() for cell in cells[len(columns) :]) or (findings and len(cells) > width):
        # What the cells say is then no use: they stand in the wrong columns.
        message = f"the row has {len(cells)} cells, the heading {width}"
        hint = f"a text with '{delimiter}' stands in quotation marks"
        report.error(origin.at(columns[-1]), Code.ROW_LENGTH, message, hint)
        return None
    for finding in findings:
        column = str(finding.loc[0]) if finding.loc else "name"
        # The column is named by the place.
        report.error(origin.at(column), finding.code, finding.message.removeprefix(f"{column}: "), finding.hint)
    good = _good_name(name, origin.at("name"), report)
    return Written(name, entry, origin) if entry is not None and good else None


def _good_name(name: str, place: Place, report: Report) -> bool:
    if TAG_PATTERN.match(name) and len(name) <= 200:
        return True
    report.error(place, Code.NAME, f"'{name}' is not a tag name" if name else "the name is missing", NAME_HINT)
    return False


def read_yaml(file: str, text: str, excused: Excused, report: Report) -> list[Written]:
    """The tags of a YAML file: plain ones, and those that instances make from templates of the same file."""
    root = read_tree(file, text, report)
    entry = None if root is None else checked(TagFileEntry, plain(root), file, root, report)
    if root is None or entry is None:
        excused.everything()
        return []
    found = []
    for key, node in items(child(root, "instances")):
        found += _read_instance(file, key, node, entry.templates, root, excused, report)
    for key, node in items(child(root, "tags")):
        tag = checked(TagEntry, plain(node), file, node, report)
        if _good_name(key_text(key), place_of(file, key), report) and tag is not None:
            found.append(Written(key_text(key), tag, YamlOrigin(file, key, node)))
        else:
            excused.tag(key_text(key))
    return found


def _read_instance(
    file: str,
    key: Node,
    node: Node,
    templates: Mapping[str, TemplateEntry],
    root: MappingNode,
    excused: Excused,
    report: Report,
) -> list[Written]:
    name = key_text(key)
    excused.all_of(name)  # until all its tags are made
    if not _good_name(name, place_of(file, key), report):
        return []
    said = plain(node)
    use = said.get("use")
    if not isinstance(use, str) or use not in templates:
        where = place_of(file, child(node, "use") or key)
        if use is None:
            report.error(where, Code.KEY_MISSING, "'use' is missing", "it names a template of this file")
        else:
            report.error(where, Code.TEMPLATE_UNKNOWN, f"unknown template '{use}'", did_you_mean(str(use), templates))
        return []
    values = _values(file, key, node, use, templates[use], report)
    if values is None:
        return []

    def unknown(at: ScalarNode, reference: str, offset: int) -> None:
        hint = did_you_mean(reference, known)
        report.error(place_of(file, at, offset), Code.PARAMETER_UNKNOWN, f"unknown parameter '${reference}'", hint)

    known = {**values, "name": name}
    found = []
    for suffix, template in items(child(child(child(root, "templates"), use), "tags")):
        origin = YamlOrigin(file, key, node, template)
        data = fill(template, known, unknown)
        if "device" in said and "device" not in data:
            data["device"] = said["device"]
        tag = _checked_of_template(data, origin, template, report)
        full = f"{name}.{key_text(suffix)}"
        if tag is not None and _good_name(full, place_of(file, suffix), report):
            found.append(Written(full, tag, origin))
        else:
            excused.tag(full)
    excused.made(name)
    return found


def _values(
    file: str, key: Node, node: Node, use: str, template: TemplateEntry, report: Report
) -> dict[str, Scalar] | None:
    good = True
    values: dict[str, Scalar] = {}
    for name_node, value_node in items(node):
        name, value = key_text(name_node), plain(value_node)
        if name == "use":
            continue
        kind = template.params.get(name)
        if kind is None and name != "device":
            hint = did_you_mean(name, template.params)
            report.error(place_of(file, name_node), Code.PARAMETER_UNKNOWN, f"unknown parameter '{name}'", hint)
            good = False
        elif kind == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
            report.error(place_of(file, value_node), Code.PARAMETER_UNFIT, f"{name}: expected a number")
            good = False
        elif isinstance(value, dict | list) or value is None:
            report.error(place_of(file, value_node), Code.PARAMETER_UNFIT, f"{name}: expected a text")
            good = False
        values[name] = value
    for name in template.params:
        if name not in values:
            message = f"parameter '{name}' of template '{use}' is missing"
            report.error(place_of(file, key), Code.PARAMETER_MISSING, message)
            good = False
    return values if good else None


def _checked_of_template(data: object, origin: YamlOrigin, template: Node, report: Report) -> TagEntry | None:
    try:
        return TagEntry.model_validate(data)
    except ValidationError as error:
        for finding in findings_of(error, TagEntry):
            place = place_of_finding(origin.file, template, finding)
            if finding.loc and child(template, finding.loc[0]) is not None and not finding.at_key:
                place = origin.at(str(finding.loc[0]))
            report.error(place, finding.code, finding.message, finding.hint)
        return None
