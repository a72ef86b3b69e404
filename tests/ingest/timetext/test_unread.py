"""Texts that could be times are told from names and classes."""

import pytest

from lstmcast.ingest.timetext.unread import could_be_times


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("mes", [f"{i % 12 + 1}~{2015 + i // 12}" for i in range(40)]),
        ("x", [f"{2015 + i // 12}: {i % 12 + 1}" for i in range(40)]),
        ("x", [f"{'abcdefghijkl'[i % 12]}zz-{15 + i // 12}" for i in range(40)]),
        ("x", [f"{2015 + i} year {i % 12 + 1} month" for i in range(40)]),
    ],
)
def test_what_could_be_a_time(name: str, texts: list[str]) -> None:
    assert could_be_times(name, texts, unique=True)
    assert could_be_times(name, texts[::-1], unique=True)
    assert not could_be_times(name, texts, unique=False)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("sku", [f"SKU-2020-{i:05d}" for i in range(40)]),
        ("order", [f"2020-{i:05d}" for i in range(40)]),
        ("city", ["Paris", "Rome", "Bern", "Oslo", "Wien"]),
        ("period", ["before", "during", "after", "later"]),
        ("model", [f"phone {i}" for i in range(40)]),
        ("x", ["a1"]),
    ],
)
def test_what_is_a_name_or_a_class(name: str, texts: list[str]) -> None:
    assert not could_be_times(name, texts, unique=True)
