import pytest

from lstmcast.cli.show.pictures import check_picture
from lstmcast.errors import UsageError


def test_no_picture_and_the_terminal_need_no_check() -> None:
    check_picture(None)
    check_picture("-", terminal=True)


@pytest.mark.parametrize("file", ["x.bmp", "-"])
def test_a_picture_of_another_format_is_an_error_before_any_work(file: str) -> None:
    with pytest.raises(UsageError):
        check_picture(file)
