"""Seeds derived from a seed: independent streams for members, folds, trials and files."""

from dataclasses import replace

import numpy as np

from lstmcast.config import Config


def derive_seed(seed: int, *parts: int) -> int:
    """Return the seed of one part of what `seed` starts, such as the third fold.

    The same parts give the same seed on every machine; other parts give one that is independent of
    it (numpy's SeedSequence, after O'Neill 2015).
    """
    return int(np.random.SeedSequence([seed, *parts]).generate_state(1)[0])


def with_derived_seed(config: Config, *parts: int) -> Config:
    """Return the configuration with a seed of its own for one part of the work."""
    seed = derive_seed(config.train.seed, *parts) >> 1  # settings hold 31 bits
    return replace(config, train=replace(config.train, seed=seed))
