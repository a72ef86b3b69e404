"""From a table to the flat, regular arrays of a panel, one step a file.

Each step may refuse the data with an error that names the row.

`time_column`   which column is the time
`timestamps`    its cells as instants, in the requested zone
`typed_stamps`  columns of dates and times as such
`number_stamps` what the numbers of a time column count
`timetext/`     how its texts are understood
`keys`          which series a row belongs to
`rows`          rows in the order of series and time, several targets as series
`duplicates`    rows of the same series and time, combined into one
`regular`       rows laid on a regular time axis
`resample`      rows aggregated into longer steps
`encoding`      covariates as numbers
`series`        the usable series laid end to end, as flat arrays
`assemble`      all of these in order
"""
