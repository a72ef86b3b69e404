"""Recipes obey the user, and differ from each other where the user leaves them to."""

from typing import Any

import pytest

from lstmcast.config import Config, ModelConfig, TrainConfig
from lstmcast.training.initial_weights import load_pretrained_arrays
from lstmcast.training.recipes import make_panel_recipes, make_small_data_recipes

PLENTY = 10_000
"""Time steps enough to train from scratch."""


def test_small_data_is_learnt_by_different_kinds_and_panels_by_different_seeds() -> (
    None
):
    start = load_pretrained_arrays()
    small = make_small_data_recipes(Config(), start, None, PLENTY)
    assert small[0].schedule.steps == 0
    assert {recipe.start is None for recipe in small} == {True, False}
    panel = make_panel_recipes(Config(), start, 3)
    assert all(recipe.start is start for recipe in panel)
    for recipes in (small, panel):
        assert len({recipe.schedule.seed for recipe in recipes[1:]}) == len(recipes) - 1


def test_where_data_are_few_nothing_is_trained_from_scratch_unless_requested() -> None:
    start = load_pretrained_arrays()
    assert all(
        recipe.start is start
        for recipe in make_small_data_recipes(Config(), start, None, 20)
    )
    assert all(
        recipe.start is None
        for recipe in make_small_data_recipes(Config(), None, None, 20)
    )


@pytest.mark.parametrize("members", [1, 2, 9])
def test_there_are_as_many_members_as_requested(members: int) -> None:
    results = make_small_data_recipes(
        Config(), load_pretrained_arrays(), members, PLENTY
    )
    assert len(results) == members
    trained = [recipe.schedule.seed for recipe in results if recipe.schedule.steps]
    assert len(set(trained)) == len(trained)
    assert len(make_panel_recipes(Config(), None, members)) == members


def test_what_the_user_sets_holds_for_every_recipe() -> None:
    train = TrainConfig(
        steps=7, lr=0.5, batch_size=3, origins=2, grad_clip=9.0, patience=4, seed=5
    )
    config = Config(train=train, model=ModelConfig(hidden=10, layers=3))
    for recipe in make_small_data_recipes(config, None, 4, PLENTY) + make_panel_recipes(
        config, None, 2
    ):
        schedule = recipe.schedule
        assert (schedule.steps, schedule.lr, schedule.batch_size, schedule.origins) == (
            7,
            0.5,
            3,
            2,
        )
        assert (schedule.grad_clip, schedule.patience) == (9.0, 4)
        assert (recipe.hidden, recipe.layers) == (10, 3)


def test_weights_decay_of_themselves_only_where_that_is_apart_from_the_gradient() -> (
    None
):
    def decays(**train: Any) -> set[float]:
        recipes = make_small_data_recipes(
            Config(train=TrainConfig(**train)), None, None, PLENTY
        )
        return {recipe.schedule.weight_decay for recipe in recipes}

    assert decays() == {0.01, 0.05}
    assert decays(optimizer="adam") == decays(optimizer="sgd") == {0.0}
    assert (
        decays(weight_decay=0.01)
        == decays(optimizer="adam", weight_decay=0.01)
        == {0.01}
    )


def test_another_seed_makes_other_seeds_for_all() -> None:
    seeds = [
        {
            r.schedule.seed
            for r in make_small_data_recipes(
                Config(train=TrainConfig(seed=s)), None, None, PLENTY
            )
        }
        for s in (0, 1)
    ]
    assert not seeds[0] & seeds[1]


def test_no_steps_leave_only_the_weights_as_they_are() -> None:
    config = Config(train=TrainConfig(steps=0))
    results = make_small_data_recipes(config, load_pretrained_arrays(), None, PLENTY)
    assert [(recipe.name, recipe.schedule.steps) for recipe in results] == [
        ("as it is", 0)
    ]


def test_a_recipe_drops_out_more_in_small_networks_unless_the_user_sets_it() -> None:
    def dropouts(**model: Any) -> list[float]:
        config = Config(model=ModelConfig(**model))
        return [r.dropout for r in make_small_data_recipes(config, None, None, PLENTY)]

    assert dropouts() == [0.1, 0.2, 0.2]
    assert dropouts(dropout=0.4) == [0.4, 0.4, 0.4]


def test_other_optimizers_have_learning_rates_of_their_own() -> None:
    def rates(**train: Any) -> list[float]:
        config = Config(train=TrainConfig(**train))
        return [
            r.schedule.lr for r in make_small_data_recipes(config, None, None, PLENTY)
        ]

    usual = rates()
    assert rates(optimizer="sgd") == pytest.approx([30 * lr for lr in usual])
    assert rates(optimizer="sgd", lr=0.01) == [0.01] * 3


def test_every_recipe_has_the_optimizer_that_the_user_sets() -> None:
    config = Config(train=TrainConfig(optimizer="sgd"))
    recipes = make_small_data_recipes(config, None, None, PLENTY)
    recipes += make_panel_recipes(config, None, 2)
    assert {recipe.schedule.optimizer for recipe in recipes} == {"sgd"}
