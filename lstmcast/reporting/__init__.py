"""What a run looks like: pictures, pages, and entries in trackers.

`series_axes`     one series on the axes of a picture
`plots`           pictures of forecasts and scores
`explanation_plot` what moves a forecast, as a picture
`inspection_plot` the picture of a panel before a fit
`chosen_series`   which series a picture shows
`judged_series`   judged rows by series, with their events
`thinning`        long series thinned for a picture
`detection_plot`  judged rows as a picture
`season_plot`     the picture of a season
`component_plot`  what a series is made of as a picture
`tuning_plot`     the picture of a search
`pages/`          a run or a forecast as a page for a browser
`trackers`        a finished fit in TensorBoard, MLflow or CSV
"""
