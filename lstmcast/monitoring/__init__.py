"""A run in use: unusual rows are found, and new rows are learnt from.

`thresholds` how large a score must be to be called rare
`detect`     rows that are not as expected
`update`     new rows for a run
"""
