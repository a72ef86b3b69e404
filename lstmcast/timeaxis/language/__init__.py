"""The words in which dates are written: names of months, of weekdays and of time zones.

Knows neither layouts nor tables. Loaded only for texts that English and digits do not explain.

`month_table` names of months and weekdays in each language, as data
`names`       which month or weekday a word means, and how a column spells them
`zone_names`  what names like EST say about the clock
"""
