"""Turns the templates of Prometheus' annotations into those that Grafana fills in.

Both are Go templates, with differences:

- `$value` is a number in Prometheus and a sentence about all values in Grafana, where the number
  stands in `.Values.A.Value`; A is the query.
- Grafana knows no `query`: it gives nothing. A figure that is asked for by one is left out
  visibly, also where something else is said of it when it is not there: it may well be. A remark
  that was only to be made where there is an answer is not made.
- Grafana takes a `$` in a provisioned annotation for a variable of the environment. How a dollar is
  meant literally depends on its version, so that none is left: `.Labels` stands for `$labels`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LEFT_OUT = "[…]"
NOTE = f" {LEFT_OUT}: see the dashboard."

_ACTION = re.compile(r"\{\{(-?)\s*(.*?)\s*(-?)\}\}", re.DOTALL)


@dataclass(slots=True)
class _Block:
    """What is between `with` (or `if`, or `range`) and its `end`."""

    moves_dot: bool
    is_query: bool
    body: list[str] = field(default_factory=list)
    otherwise: list[str] | None = None

    def add(self, text: str) -> None:
        (self.body if self.otherwise is None else self.otherwise).append(text)


def converted(template: str) -> str:
    """Return the template for Grafana; ValueError where it cannot be said there."""
    outermost = _Block(moves_dot=False, is_query=False)
    stack = [outermost]
    for kind, text in _tokens(template):
        if kind == "text":
            stack[-1].add(text)
            continue
        action = _ACTION.sub(r"\2", text)
        word = action.split()[0]
        if word in {"with", "if", "range"}:
            is_query = _asks(action)
            head = "" if is_query else _said(text, stack)
            stack.append(_Block(word != "if", is_query, [head]))
        elif action == "else":
            stack[-1].otherwise = ["" if stack[-1].is_query else text]
        elif word == "end":
            block = stack.pop()
            stack[-1].add(_closed(block, text))
        elif any(block.is_query for block in stack):
            stack[-1].add(text)  # goes with the block
        else:
            stack[-1].add(_said(text, stack))
    if len(stack) > 1:
        raise ValueError(f"no end: {template}")
    result = "".join(outermost.body)
    return result + NOTE if LEFT_OUT in result else result


def _tokens(template: str) -> Iterator[tuple[str, str]]:
    position = 0
    for match in _ACTION.finditer(template):
        yield "text", template[position : match.start()]
        yield "action", match[0]
        position = match.end()
    yield "text", template[position:]


def _closed(block: _Block, end: str) -> str:
    if not block.is_query:
        return "".join([*block.body, *(block.otherwise or []), end])
    is_figure = "".join(block.body).lstrip().startswith("{{")
    return LEFT_OUT if is_figure else "".join(block.otherwise or [])


def _asks(action: str) -> bool:
    return re.search(r"\|\s*query\b|\bquery\s+[\"$(]", action) is not None


def _said(action: str, stack: list[_Block]) -> str:
    """Say an action without a dollar; only at the outermost level does the dot hold the labels."""
    if _asks(action):
        raise ValueError(f"query outside of with: {action}")
    said = re.sub(r"\$labels\b", ".Labels", action)
    said = re.sub(r"\$value\b", ".Values.A.Value", said)
    if "$" in said:
        raise ValueError(f"a variable that Grafana does not have: {action}")
    if said != action and any(block.moves_dot for block in stack):
        raise ValueError(f"labels and value are not to be had within with or range: {action}")
    return said
