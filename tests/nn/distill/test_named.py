"""Methods by name, as the command line gives them."""

from __future__ import annotations

import pytest

from trabecula.nn.distill import (
    METHODS,
    Attention,
    Hints,
    SoftTargets,
    Weighted,
)
from trabecula.nn.distill.named import methods_by_name


def test_names_weights_and_settings_make_methods() -> None:
    found = methods_by_name(
        ["soft-targets", "attention=10", "hints=2.5"],
        [
            "soft-targets.temperature=8",
            'attention.layers=[["a","b"],["c","d"]]',
            "hints.hint=x",
            "hints.guided=y",
        ],
    )
    assert found == [
        Weighted(SoftTargets(8)),
        Weighted(Attention((("a", "b"), ("c", "d"))), 10.0),
        Weighted(Hints("x", "y"), 2.5),
    ]
    assert [each.method.name for each in methods_by_name(list(METHODS), [])] == list(METHODS)


@pytest.mark.parametrize(
    ("given", "settings", "said"),
    [
        (["att"], [], "'att' is not known; it is one of logits"),
        (["attention=much"], [], "'much' is no number"),
        (["attention=-1"], [], "weight of attention is -1"),
        (["attention"], ["hints.share=1"], "for a method that --method names"),
        (["attention"], ["attention.p"], "write METHOD.FIELD=VALUE"),
        (["attention"], ["attention.q=1"], "has no 'q'; it has layers, power, p, per_element"),
        (["soft-targets"], ["soft-targets.temperature=hot"], "value of the wrong kind"),
        (["soft-targets"], ["soft-targets.temperature=0"], "must be above 0"),
    ],
)
def test_what_is_not_known_is_one_sentence(given: list[str], settings: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        methods_by_name(given, settings)
