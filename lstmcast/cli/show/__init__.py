"""What a command prints: results on stdout, messages on stderr, pictures in files.

`pace`        how long work still takes
`console`     messages and progress for people
`tables`      tables that fit their terminal
`output`      results as exact bytes
`help_page`   the short help, and the parts of the long one
`run_summary` a run in a few words
`scores`      a verdict as people read it, and as a table
`pictures`    --plot
`chart`       a small chart of block characters
`served_page` the page of a server
"""
