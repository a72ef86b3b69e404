"""What a run looks like: pictures, a page, and entries in trackers.

`plots`           pictures of forecasts and scores
`inspection_plot` the picture of a panel before a fit
`chosen_series`   which series a picture shows
`season_plot`     the picture of a season
`component_plot`  what a series is made of as a picture
`tuning_plot`     the picture of a search
`page`            what all pages share
`report_chart`    the forecast as data of a chart, a table and a CSV
`report_tables`   accuracy and what drives a forecast, as tables
`chart_page`      a forecast as a page of its own
`report`          a run as one page for a browser
`trackers`        a finished fit in TensorBoard, MLflow or CSV
"""
