from __future__ import annotations

import json
import math

import numpy as np
import pytest

from trabecula.certificate import Certificate

FULL = Certificate(1e-10, 0.01, 164.0, 0.42, 0.0, True, 0.3)


@pytest.mark.parametrize("record", [FULL, Certificate()])
def test_json_and_back_is_the_same(record: Certificate) -> None:
    text = json.dumps(record.to_json(), allow_nan=False)
    assert Certificate.from_json(json.loads(text)) == record


def test_the_contract_names_seven_fields() -> None:
    assert list(FULL.to_json()) == [
        "equilibrium_residual",
        "kkt_residual",
        "lower_bound",
        "gap",
        "volume_violation",
        "connected",
        "grey",
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_becomes_null(value: float) -> None:
    assert Certificate(gap=value).to_json()["gap"] is None


@pytest.mark.parametrize(
    "change",
    [{"gap": "0.1"}, {"gap": True}, {"gap": math.nan}, {"connected": 1}, {"more": 0.0}, {"grey": [1.0]}],
)
def test_wrong_values_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        Certificate.from_json({**FULL.to_json(), **change})


def test_missing_fields_are_refused() -> None:
    with pytest.raises(ValueError, match="a certificate holds"):
        Certificate.from_json({"gap": 0.1})


@pytest.mark.parametrize("joined", [False, True])
def test_scalars_of_numpy_become_pythons(joined: bool) -> None:
    record = Certificate(
        gap=np.float32(0.25), connected=np.bool_(joined), grey=np.float64(0.5), lower_bound=2
    )
    assert record.connected is joined
    assert [type(value) for value in record.to_json().values() if value is not None] == [
        float,
        float,
        bool,
        float,
    ]
    assert json.loads(json.dumps(record.to_json()))["connected"] is joined


@pytest.mark.parametrize("field", [{"gap": True}, {"connected": 1}, {"connected": 0.0}, {"grey": "0.5"}])
def test_a_certificate_is_made_of_its_own_kinds_only(field: dict[str, object]) -> None:
    with pytest.raises(TypeError, match=next(iter(field))):
        Certificate(**field)  # type: ignore[arg-type]
