"""A run in use: unusual rows are found, and new rows are learnt from.

`rates`      how many false alarms are allowed, and what an alarm is
`row_errors` how far rows, and runs of rows, lie from their forecasts
`evidence/`  how unusual rows are by the past of their own series
`conformal`  how large a number must be to be rare among others
`flat_runs`  how long a value may stay the same
`events`     unusual rows gathered into events
`detection`  the table of judged rows, and its figures
`detect`     rows that are not as a run expects them
`watch/`     data judged without a run, and what is remembered of them
`update`     new rows for a run
"""
