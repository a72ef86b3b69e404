"""A trained forecaster: read `predictor` first.

Knows nothing of training.

`predictor`   load, predict, save
`saved`       a forecaster as the files of a run, and back
`inputs`      what a run reads a panel by: seasons, scales, context, windows
`recent`      unlikely newest values left out, and levels that have shifted followed
`plausible`   forecasts held against what their series have shown: counts, zeros, range
`combination` networks and classical methods combined by their validation errors
`simple_methods` the simple method that a forecast falls back on
`cut_windows` windows for which a series is cut off at their origin
`quantiles`   intervals where networks make none, and other quantile levels
`recursive`   forecasts beyond the trained horizon
`estimator`   the settings by name, as scikit-learn asks for them
"""
