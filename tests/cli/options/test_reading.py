import pytest

from lstmcast.cli.options.reading import DataOptions, parse_size
from lstmcast.config import DataConfig
from lstmcast.errors import UsageError


def test_texts_that_mean_missing_are_added_to_the_usual_ones() -> None:
    assert DataOptions(na=["-", "?"]).config().na == (*DataConfig.na, "-", "?")


@pytest.mark.parametrize("word", ["tab", "\\t"])
def test_a_tab_can_be_typed_as_a_word(word: str) -> None:
    assert DataOptions(delimiter=word).config().delimiter == "\t"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512", 512),
        ("500MB", 500_000_000),
        ("16 GiB", 16_000_000_000),
        ("1.5k", 1500),
        ("2TB", 2_000_000_000_000),
        (None, None),
    ],
)
def test_a_size_is_bytes_or_has_a_unit(text: str | None, size: int | None) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["many", "", "-1MB", "1XB"])
def test_other_texts_are_no_size(text: str) -> None:
    with pytest.raises(UsageError, match="is not a size"):
        parse_size(text)
