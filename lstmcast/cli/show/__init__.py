"""What a command prints: results on stdout, messages on stderr, pictures in files.

`console`  messages, progress and tables for people
`output`   results as exact bytes
`help_page` the short help, and the parts of the long one
`scores`   a verdict as people read it, and as a table
`pictures` --plot
`chart`    a small chart of block characters
"""
