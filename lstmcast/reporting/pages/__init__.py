"""Pages for a browser: each is one file that loads nothing.

`page`          what all pages share
`report_chart`  the forecast as data of a chart, a table and a CSV
`components_chart` what series are made of, and their seasons, as data of charts
`report_tables` accuracy and what drives a forecast, as tables
`chart_page`    a forecast as a page of its own
`detection_chart` judged rows as data of a chart and a table of events
`detection_page` judged rows as a page of their own
`report`        a run as a page
"""
