"""What can be said of a file before anything is trained.

`columns`         what each column seems to be
`characteristics` strength of trend and season, outliers, zeros
`findings`        these as data and in words
`cost`            what a fit would take in time and memory
"""
