"""Data watched without a run: each row judged by the rows of its own series before it.

`rows`    rows of a table by series and in order, on no grid
`watcher` a judge for each series, and the table of what it found
`shared`  moments at which events begin in several series
`state`   what is remembered, in a file, from one call to the next

No network is needed, and no regular steps: rows are taken as they stand, none is filled in.
"""
