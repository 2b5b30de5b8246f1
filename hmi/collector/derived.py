"""Tags that are calculated from others: only those whose inputs changed, in the order in which they need each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hmi.core.batch import EMPTY, Batch, Tags, make_batch
from hmi.core.expression import Expression, compile_expression
from hmi.core.status import BAD_OUT_OF_RANGE, BAD_WAITING_FOR_INITIAL_DATA, is_bad
from hmi.core.table import Table
from hmi.core.tag import Lane, Tag


@dataclass(frozen=True, slots=True)
class _Rule:
    tag: Tag
    expression: Expression
    inputs: Tags


class DerivedTags:
    """All derived tags of a plant.

    A derived value has the time of its youngest input and the worst status among its inputs. A bad input means no
    value. Raises `ValueError` for tags that need each other in a circle, which a checked plant does not have.
    """

    def __init__(self, tags: Sequence[Tag]) -> None:
        index = {tag.name: tag.index for tag in tags}
        rules: list[_Rule] = []
        for tag in tags:
            if tag.expression is not None:
                expression = compile_expression(tag.expression.strip().removeprefix("="))
                inputs = np.array([index[name] for name in expression.tags], np.int32)
                rules.append(_Rule(tag, expression, inputs))
        self._rules = _in_order(rules)
        self.tags: Tags = np.array([rule.tag.index for rule in self._rules], np.int32)
        self._needed_by: list[list[int]] = [[] for _ in tags]
        for place, rule in enumerate(self._rules):
            for source in rule.inputs.tolist():
                self._needed_by[source].append(place)
        self._has_dependents = np.array([bool(places) for places in self._needed_by], np.bool_)

    def evaluate(self, changed: Tags, table: Table) -> Batch:
        """The derived tags that depend on `changed`, calculated from the table; one sample a tag.

        A derived tag that depends on another sees that one's new value in the same call.
        """
        if not len(self._rules) or not len(changed):
            return EMPTY
        relevant = changed[self._has_dependents[changed]]
        if not len(relevant):
            return EMPTY
        due = {place for source in np.unique(relevant).tolist() for place in self._needed_by[source]}
        results: dict[int, tuple[int, float, int, int]] = {}
        for place, rule in enumerate(self._rules):
            if place not in due:
                continue
            results[rule.tag.index] = _calculate(rule, table, results)
            due.update(self._needed_by[rule.tag.index])
        tags = list(results)
        columns = list(zip(*results.values(), strict=True))
        whole = None
        if any(rule.tag.lane is Lane.INT for rule in self._rules):
            # Only the INT lane reads it; a value without a number has none here either.
            whole = [round(value) if np.isfinite(value) and abs(value) < 2**63 else 0 for value in columns[1]]
        return make_batch(tags, columns[0], columns[1], columns[2], columns[3], whole)


def _calculate(rule: _Rule, table: Table, fresh: dict[int, tuple[int, float, int, int]]) -> tuple[int, float, int, int]:
    inputs = rule.inputs
    time_us, value, status, delay_us = (
        table.time_us[inputs],
        table.value[inputs],
        table.status[inputs],
        table.delay_us[inputs],
    )
    for place, source in enumerate(inputs.tolist()):
        if source in fresh:
            time_us[place], value[place], status[place], delay_us[place] = fresh[source]
    if not len(inputs):
        return 0, rule.expression.evaluate(()), 0, 0
    youngest = int(np.argmax(time_us))
    key_us, delay = int(time_us[youngest]), int(delay_us[youngest])
    if is_bad(status).any():
        waiting = status == np.uint32(BAD_WAITING_FOR_INITIAL_DATA)
        worst = status[waiting] if waiting.any() else status
        return key_us, float("nan"), int(worst.max()), delay
    result = rule.expression.evaluate(value.tolist())
    if not np.isfinite(result):
        return key_us, float("nan"), BAD_OUT_OF_RANGE, delay
    return key_us, result, int(status.max()), delay


def _in_order(rules: Sequence[_Rule]) -> list[_Rule]:
    place = {rule.tag.index: rule for rule in rules}
    ordered: list[_Rule] = []
    done: set[int] = set()
    for first in rules:
        # Depth first without recursion: a long chain of derived tags is legal.
        stack = [(first, False)]
        path: set[int] = set()
        while stack:
            rule, left = stack.pop()
            if left:
                path.discard(rule.tag.index)
                if rule.tag.index not in done:
                    done.add(rule.tag.index)
                    ordered.append(rule)
                continue
            if rule.tag.index in done:
                continue
            if rule.tag.index in path:
                raise ValueError(f"derived tag '{rule.tag.name}' depends on itself")
            path.add(rule.tag.index)
            stack.append((rule, True))
            stack.extend((place[source], False) for source in rule.inputs.tolist() if source in place)
    return ordered
