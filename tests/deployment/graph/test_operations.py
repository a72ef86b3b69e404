"""Operations of a graph, beside what they stand for computed step by step."""

import numpy as np
import pytest
import torch

from lstmcast.deployment.graph import operations

NAN = float("nan")


def tensor(*values: float) -> torch.Tensor:
    """One series, [1, T]."""
    return torch.tensor([values], dtype=torch.float64)


def steps_of(x: torch.Tensor) -> torch.Tensor:
    return torch.arange(x.shape[1], dtype=torch.float64)


def test_steps_are_shifted_to_the_right_and_nothing_stands_before_them() -> None:
    x = tensor(1, 2, 3)
    assert operations.lag_steps(x, 0).tolist() == [[1, 2, 3]]
    assert operations.lag_steps(x, 2).tolist() == [[0, 0, 1]]
    assert operations.lag_steps(x, 5).tolist() == [[0, 0, 0]]
    assert operations.lagged_difference(x, steps_of(x), 1).tolist() == [[0, 1, 1]]


def test_the_last_steps_of_a_short_series_begin_with_zeros() -> None:
    assert operations.last_steps(tensor(1, 2, 3), 2).tolist() == [[2, 3]]
    assert operations.last_steps(tensor(1, 2), 4).tolist() == [[0, 0, 1, 2]]


def test_values_before_the_first_are_marked_as_unknown() -> None:
    values, is_known = operations.values_from_end(
        tensor(1, 2, 3), torch.tensor([0, -2, -3])
    )
    assert values[0, :2].tolist() == [3, 1] and is_known.tolist() == [True, True, False]


def test_a_moving_average_has_fewer_steps_at_the_start() -> None:
    x = tensor(2, 4, 6, 8)
    assert operations.mean_of_window(x, steps_of(x), 3).tolist() == [[2, 3, 4, 6]]


def test_a_recursive_mean_is_that_of_the_recursion_and_skips_what_has_no_weight() -> (
    None
):
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=30), (rng.random(30) < 0.7).astype(float)
    alpha, total, mass, expected = 0.3, 0.0, 0.0, []
    for value, counts in zip(x, weight, strict=True):
        total = (1 - alpha) * total + alpha * value * counts
        mass = (1 - alpha) * mass + alpha * counts
        expected.append(total / mass if mass else 0.0)
    found = operations.recursive_mean(tensor(*x), tensor(*weight), alpha, 12)
    np.testing.assert_allclose(found[0], expected[-12:])
    assert operations.recursive_mean(tensor(1, 2), tensor(0, 0), alpha, 2).tolist() == [
        [0, 0]
    ]


def test_a_season_of_constant_shape_is_its_own_index() -> None:
    shape = torch.tensor([3.0, -1.0, -2.0], dtype=torch.float64)
    x = shape.repeat(5)[None] + 10
    index = operations.mean_by_phase(x - 10, x, torch.ones_like(x), steps_of(x), 3, 0.3)
    np.testing.assert_allclose(index[0], shape.repeat(5))


def test_the_slope_is_that_of_the_line_through_the_observed_steps() -> None:
    x, weight = tensor(1, 9, 3, 4, 5, 7), tensor(1, 0, 1, 1, 1, 1)
    slope = operations.regression_slope(x, weight, steps_of(x))
    assert slope[0, :4].tolist() == [0, 0, 0, 0]
    assert slope[0, 4].item() == pytest.approx(1.0)
    assert slope[0, 5].item() == pytest.approx(
        np.polyfit([0, 2, 3, 4, 5], [1, 3, 4, 5, 7], 1)[0]
    )


@pytest.mark.parametrize(
    ("season", "expected"), [(1, [0, 1, 2, 2, 2, 2]), (2, [0, 1, 2, 1, 2, 1])]
)
def test_gaps_are_filled_from_the_same_phase_or_the_last_value(
    season: int, expected: list[float]
) -> None:
    filled = operations.fill_from_past(tensor(NAN, 1, 2, NAN, NAN, NAN), season)
    assert filled[0].tolist() == expected
