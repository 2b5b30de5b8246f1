"""Where an entry of a file came from, so that a check far from the file can still point at the place."""

from dataclasses import dataclass

from yaml.nodes import Node

from hmi.config.filling import depends
from hmi.config.tree import child, place_of
from hmi.core.problem import Place


@dataclass(frozen=True, slots=True)
class CsvOrigin:
    """A row of a CSV file; rows count from 1, with the heading."""

    file: str
    row: int

    def at(self, column: str, offset: int = 0) -> Place:
        return Place(self.file, self.row, 0, column)


@dataclass(frozen=True, slots=True)
class YamlOrigin:
    """An entry of a YAML file: `key` is its name, `node` what it says.

    For a tag made from a template, `template` is what the template says of it; a value that depends on parameters is
    then the instance's own.
    """

    file: str
    key: Node
    node: Node
    template: Node | None = None

    def at(self, column: str, offset: int = 0) -> Place:
        if self.template is not None:
            said = child(self.template, column)
            if said is not None and not depends(said):
                return place_of(self.file, said, offset)
            return place_of(self.file, self.key)
        said = child(self.node, column)
        return place_of(self.file, self.key if said is None else said, offset if said is not None else 0)


Origin = CsvOrigin | YamlOrigin
