"""The panel: many series on one regular time axis, with their covariates.

Knows neither files nor networks.

`panel`          the panel itself
`forecast_table` quantiles as columns of a table, and back
`checks`         what a fit and a forecast require of a panel
`holdout`        the newest windows, kept from training
`last_values`    the last value of each series taken as missing
`calendar`       calendar and holidays as covariates known ahead
`future_data`    covariates known ahead from a table of their own
`gaps`           missing values as the network reads them
`categories`     categories that were known by some time
`layout`         the flat arrays of a panel laid out anew
`extend`         a later panel beside the one that a run was trained on
`merge`          both merged into one

`frames/` is the library's door: data of any kind to a panel, and results back.
"""
