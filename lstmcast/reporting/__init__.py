"""What a run looks like: pictures, a page, and entries in trackers.

`plots`           pictures of forecasts and scores
`inspection_plot` the picture of a panel before a fit
`tuning_plot`     the picture of a search
`report`          a run as one page for a browser
`trackers`        a finished fit in TensorBoard, MLflow or CSV
"""
