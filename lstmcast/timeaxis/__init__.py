"""Points in time: how people write them, and the regular axis that they lie on.

Knows neither tables nor values.

`calendar_fields`  year, month, week, day and time of day of instants, and back
`formats`          layouts of written dates, parsed and rendered
`layouts`          which layouts a text may follow
`language/`        names of months, weekdays and clocks
`numeric`          numbers that are times: epochs, years, Excel days
`zones`            local clocks and UTC, hours that repeat or are skipped
`timestamp_format` texts, numbers and typed stamps to instants, and back
`closed`           times that never occur, as Sundays of a shop
`frequency`        a regular frequency, its arithmetic and its names
`infer`            the frequency of a set of timestamps
`irregular`        stamps off every grid: the nearest steps, or what to do
`axis`             the time axis of a panel: frequency, season, next timestamps, calendar features
`place`            stamps on the axis they lie on
"""
