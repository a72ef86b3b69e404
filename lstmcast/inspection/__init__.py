"""What a file holds, before anything is trained.

`columns`         what each column seems to be, and its likeliest role
`characteristics` strength of trend and season, outliers, zeros
`findings`        these as data and in words
`cost`            the time and memory that a fit would take
"""
