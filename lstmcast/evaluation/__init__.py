"""How good a forecaster would have been, and what its forecasts depend on.

`cutoffs`    which past windows are forecast, and what their forecasts may know
`result`     what a backtest found
`rivals`     which simple methods a verdict compares with
`backtest`   forecasts from past cutoffs, scored on what was observed after them
`in_sample`  forecasts of the data that were fitted
`explain`    how much each input moves a forecast
`components` level, trend, seasons and effects that series and forecasts are made of
"""
