"""From values to what a network reads. Arrays only: no frames, no files, no torch.

Every feature of a step uses that step and what is before it, so that no forecast can have seen its
own future.

`rows`              whose the rows are of series that lie end to end
`smoothing`         means, shifts and fills along time that know nothing of the future
`scaler`            logarithms and fixed scales, and their inverse
`steps`             causal scaling and the features of every step
`candidates`        classical forecasts of every window
`unlikely`          newest values that the past makes unlikely, and shifts of level that last
`seasonal`          seasons found in the values, and patterns that remember all their cycles
`covariate_effects` linear effects of covariates known ahead
`windows`           windows of context and horizon by index, never stored; the default context
`joint`             inputs for targets that are forecast together
`preprocessing`     a panel as steps and covariates, with the state to do it again; the horizon of
                    a configuration
"""
