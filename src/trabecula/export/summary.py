"""What was asked, in a few lines a person reads at a glance, from the problem file's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_LONGEST = 100_000
_DEEPEST = 20


def summarise(problem: str) -> list[tuple[str, str]]:
    """Label and text for each thing a problem file says; one line that says so if it cannot be read.

    Parameters
    ----------
    problem
        The problem file as solved, YAML.
    """
    tree = _read(problem)
    if not tree:
        return [("Problem", "see the problem file below")]
    rows = [
        ("Goal", _goal(tree.get("goal"))),
        ("Domain", _domain(tree.get("domain"))),
        ("Material", _inline(tree.get("material"))),
        *(("Held", text) for text in _each(tree.get("supports"))),
        *(("Load", text) for text in _loads(tree)),
        *(("Region", text) for text in _each(tree.get("regions"))),
        ("Options", _inline(tree.get("options"))),
    ]
    return [(label, text) for label, text in rows if text]


def name_goal(problem: str) -> str:
    """What the problem file says is minimised; "compliance" if it does not say."""
    goal = _read(problem).get("goal")
    return str(goal.get("minimize", "compliance")) if isinstance(goal, Mapping) else "compliance"


def _read(problem: str) -> Mapping[object, object]:
    """The file's tree; empty if it is none, too long or deep, or uses aliases (which saved problems never
    do)."""
    import yaml

    if len(problem) > _LONGEST:
        return {}
    try:
        depth = 0
        for event in yaml.parse(problem):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST or isinstance(event, yaml.AliasEvent):
                return {}
        tree = yaml.safe_load(problem)
    except (yaml.YAMLError, ValueError):
        return {}
    return tree if isinstance(tree, Mapping) else {}


def _goal(goal: object) -> str:
    if not isinstance(goal, Mapping):
        return ""
    rest = {key: value for key, value in goal.items() if key != "minimize"}
    text = f"minimise {_inline(goal.get('minimize'))}"
    return f"{text} with {_inline(rest)}" if rest else text


def _domain(domain: object) -> str:
    if not isinstance(domain, Mapping):
        return ""
    size, elements = domain.get("size"), domain.get("elements")
    parts = []
    if isinstance(size, Sequence):
        parts.append(f"{' × '.join(map(_inline, size))} m")
    if isinstance(elements, Sequence):
        parts.append(f"{' × '.join(map(_inline, elements))} elements")
    others = {
        key: value for key, value in domain.items() if key not in {"size", "elements"} and value is not None
    }
    return ", ".join([*parts, *([_inline(others)] if others else [])])


def _loads(tree: Mapping[object, object]) -> list[str]:
    cases = tree.get("cases")
    if not isinstance(cases, Sequence) or isinstance(cases, str):
        return _each(tree.get("loads"))
    rows = []
    for case in cases:
        if isinstance(case, Mapping):
            label = f"{_inline(case.get('name'))} (weight {_inline(case.get('weight', 1))}): "
            rows += [label + text for text in _each(case.get("loads"))]
    return rows


def _each(items: object) -> list[str]:
    if not isinstance(items, Sequence) or isinstance(items, str):
        return []
    return [_inline(item) for item in items]


def _inline(value: object) -> str:
    """Nested values on one line, as a person would write them."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_inline(item)}".strip() for key, item in value.items() if item is not None)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"({', '.join(_inline(item) for item in value)})" if value else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
