"""The command line, the only package that prints: options -> config -> one library call -> show.

The commands are in `commands/`, the options that they share in `options/`, and what they print with
in `show/`.

`app`      the program: its commands, and where an error becomes an exit status
`command`  what all commands share: help, settings, memory limit
`settings` values of options from files and the environment
`data`     from DATA to a panel, reporting what was found
`gates`    --fail-if
`pinned`   the command line that leaves nothing to be inferred
`sharded`  a folder in, a folder out
`dryrun`   --dry-run
`follow`   rows on stdin, judged by a run as they come
`watch`    DATA judged by itself, and what is remembered of it
`problems` what an error means to a user: status, message and hint
`signals`  Ctrl-C, SIGTERM and a closed terminal
"""
