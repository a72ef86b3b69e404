"""What a command prints: results on stdout, messages on stderr, pictures in files.

`pace`        how long work still takes
`console`     messages and progress for people
`tables`      tables that fit their terminal
`output`      results as exact bytes
`help_page`   the short help, and the parts of the long one
`run_summary` a run in a few words
`scores`      a verdict as people read it, and as a table
`pictures`    --plot
`canvas`      what charts of block characters are drawn with
`chart`       a small chart of a forecast
`detection_chart` a small chart of judged rows with their events
`served_page` the page of a server
"""
