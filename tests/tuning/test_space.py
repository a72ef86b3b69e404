"""What `--param` names is searched, and what cannot be searched is refused."""

import pytest
from typer.main import get_command

from lstmcast.cli import app, settings
from lstmcast.config import Config
from lstmcast.errors import UsageError
from lstmcast.tuning import space
from lstmcast.tuning.space import Dimension, parse_params


def test_a_list_of_values_takes_the_type_of_its_setting() -> None:
    named, automatic = parse_params(
        [
            "hidden=32,64, auto",
            "lr=1e-3",
            "cell=lstm,gru",
            "attention=yes,no",
            "from=scratch",
        ]
    )
    assert not automatic
    assert [dimension.values for dimension in named] == [
        (32, 64, None),
        (0.001,),
        ("lstm", "gru"),
        (True, False),
        ("scratch",),
    ]
    assert [(dimension.section, dimension.name) for dimension in named][-1] == (
        "train",
        "start",
    )


def test_a_range_is_searched_by_orders_of_magnitude_where_it_is_wide() -> None:
    (rate, width), _ = parse_params(["lr=1e-4..1e-2", "hidden=32..64"])
    assert (rate.low, rate.high, rate.whole, rate.log) == (1e-4, 1e-2, False, True)
    assert (width.low, width.high, width.whole, width.log) == (32, 64, True, False)
    assert rate.holds(1e-3) and not rate.holds(None) and not rate.holds(0.1)


def test_nothing_named_means_what_the_data_suggest_and_auto_adds_to_it() -> None:
    assert parse_params([]) == ((), True)
    named, automatic = parse_params(["auto", "hidden=8", "hidden=9"])
    assert (named, automatic) == ((Dimension("model", "hidden", (9,)),), True)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("hiden=3", "unknown setting 'hiden'", "did you mean 'hidden'?"),
        ("hidden", "is no search", "hidden=32,64,128"),
        ("hidden=0,3", "--hidden 0 is out of range", "1 or more"),
        ("hidden=a", "'a' is no number", "hidden=64"),
        ("horizon=3,4", "horizon is not searched", "--horizon"),
        ("lr=1..0.1", "1 is not below 0.1", "lower end first"),
        ("cell=a..b", "cell has no range", "commas"),
        ("cell=lstn", "--cell 'lstn' is unknown", "did you mean 'lstm'?"),
        ("attention=perhaps", "'perhaps' is neither yes nor no", "yes, no"),
        ("loss=mae,bernoulli", "errors of probabilities", "leave bernoulli out"),
        ("dropout=0.5..1.5", "--dropout 1.5 is out of range", "up to"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_a_way_out(
    text: str, message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parse_params([text])
    assert message in caught.value.message and repr(text) in caught.value.message
    assert hint in caught.value.hint


def test_a_dimension_is_written_as_param_reads_it() -> None:
    for text in (
        "hidden=auto,32",
        "lr=0.0001..0.01",
        "attention=yes,no",
        "dropout=0.1,0.25",
    ):
        (dimension,), _ = parse_params([text])
        assert dimension.words() == text


def test_settings_change_a_configuration_and_leave_the_rest_alone() -> None:
    named, _ = parse_params(["hidden=32,64", "lr=1e-3,1e-2"])
    changed = space.with_trial_settings(Config(), named, {"hidden": 32})
    assert (changed.model.hidden, changed.train) == (32, Config().train)
    assert space.get_setting(changed, named[0]) == 32


def test_every_setting_that_can_be_searched_is_an_option_of_fit() -> None:
    options = settings.options_of(get_command(app.app).commands["fit"])  # type: ignore[attr-defined]
    assert {"hidden", "lr", "context", "calendar"} <= set(
        space.list_searchable_settings()
    )
    assert set(space.list_searchable_settings()) <= {
        option.name for option in options.values()
    }
