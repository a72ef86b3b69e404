"""From values to what a network reads. Arrays only: no frames, no files, no torch.

Every feature of a step uses that step and what is before it, so that no forecast can have seen its
own future.

`smoothing`         recursive means, gaps filled from the past
`scaler`            logarithms and fixed scales, and their inverse
`steps`             causal scaling and the features of every step
`candidates`        classical forecasts of every window
`seasonality`       which seasons the values show; default horizon and context
`covariate_effects` linear effects of covariates known ahead
`preprocessing`     a panel as steps and covariates, with the state to do it again
`windows`           windows of context and horizon by index, never stored
"""
