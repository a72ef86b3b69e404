"""The command line, and the only package that prints: options -> config -> one library call -> show.

The commands are in `commands/`, what they print with in `show/`.

`app`      the program; where an error becomes an exit status
`command`  what all commands share: help, settings, memory limit
`options`  options that several commands have, declared once
`settings` values from files and the environment
`data`     from DATA to a panel, saying what was found
`pinned`   the command line that leaves nothing to be inferred
`gates`    --fail-if
`engine`   --backend and -j
`sharded`  a folder in, a folder out
`dryrun`   --dry-run
`follow`   rows on stdin, judged as they come
`signals`  Ctrl-C, SIGTERM and a closed terminal
"""
