"""Seeds derived from one seed: independent ones for members, folds, trials and files.

Knows nothing of what they are for.
"""

from dataclasses import replace

import numpy as np

from lstmcast.config import Config


def derive_seed(seed: int, *parts: int) -> int:
    """Return the seed of one part of the work, such as the third fold.

    The same parts give the same seed on every machine; other parts give one that is independent of
    it (numpy's SeedSequence, after O'Neill 2015).
    """
    sequence = np.random.SeedSequence([seed, *parts])
    return int(sequence.generate_state(1)[0])


def with_derived_seed(config: Config, *parts: int) -> Config:
    """Return the configuration with the seed of one part of the work."""
    # A state has 32 bits, and settings hold 31.
    seed = derive_seed(config.train.seed, *parts) >> 1
    train = replace(config.train, seed=seed)
    return replace(config, train=train)
