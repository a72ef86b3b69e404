"""How good a forecast is: errors, simple methods to compare with, and the verdict in words.

Arrays only.

`metrics`   errors of forecasts
`baselines` forecasts that need no training
`theta`     a simple method that is hard to beat
`binary`    scores of probabilities, for targets of 0 and 1
`verdict`   the network beside the baselines on the same windows
`verdict_views` a verdict as a table, a line and a page of a notebook
`result_views` any result as a line and a page of a notebook
`wording`   the verdict in plain English
`gates`     rules on scores, such as mase>1
"""
