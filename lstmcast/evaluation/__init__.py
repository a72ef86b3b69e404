"""How good a forecaster would have been, and what its forecasts depend on.

`backtest` forecasts from past cutoffs, scored on what came after
`explain`  how much each input moves a forecast
"""
