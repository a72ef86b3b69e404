"""One seed gives each part of the work a seed of its own, the same on every machine."""

from lstmcast.compute.seeds import derive_seed, with_derived_seed
from lstmcast.config import Config, TrainConfig


def test_the_same_parts_give_the_same_seed_for_ever() -> None:
    assert derive_seed(0, 1) == 3964924996
    assert derive_seed(7, 1, 2) == derive_seed(7, 1, 2)


def test_other_parts_and_other_seeds_give_other_seeds() -> None:
    seeds = {derive_seed(seed, part) for seed in range(10) for part in range(10)}
    assert len(seeds) == 100
    assert derive_seed(1, 2, 3) != derive_seed(1, 3, 2)


def test_only_the_seed_of_a_configuration_changes_and_stays_in_its_range() -> None:
    config = Config(train=TrainConfig(seed=5, steps=3))
    derived = with_derived_seed(config, 4)
    assert 0 <= derived.train.seed < 2**31
    assert derived.train.seed == derive_seed(5, 4) >> 1
    assert derived.train.steps == 3 and derived.model == config.model
