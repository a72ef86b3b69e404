"""How the texts of a time column are understood: names of columns, layouts, and what to suggest.

`column_names`  which names of columns mean a time or a part of it, in the large languages
`choice`        the layout of a column of texts, decided over all of its rows
`suggest`       a layout for texts that no usual one fits, to show in a hint
`unread`        whether texts could be times that were not understood
`split`         stamps that are split over several columns
`clock_changes` traces of changing clocks, and the zone that explains them
"""
