"""A run in use: unusual rows are found, and new rows are learnt from.

`thresholds` how large a score must be to be called rare
`row_errors` how far rows, and runs of rows, lie from their forecasts
`evidence/`  how unusual rows are by the past of their own series, without a network
`watch/`     data judged without a run, and what is remembered of them
`flat_runs`  how long a value may stay the same
`events`     anomalies that follow each other
`detect`     rows that are not as expected
`update`     new rows for a run
"""
