"""What a file holds, before anything is trained.

`columns`         what each column seems to be, and its likeliest role
`structure`       how sure these roles are, and what else they could be
`covariates`      columns that follow from the calendar, and columns that hold the target
`sentinels`       numbers that mean missing
`outliers`        values far from their neighbours, and jumps of the level
`characteristics` strength of trend and season, zeros
`lifetimes`       series that ended, and series that were away
`finding`         one finding, and how certain it is
`findings`        those on a panel as data and in words
`table_findings`  those on a table beside them
`cost`            the time and memory that a fit would take
"""
