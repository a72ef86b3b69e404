"""One file a command, named as the command is.

Each holds its options, its examples, and a function that calls the library once. Modules that load
torch or pandas are imported within the functions, after the first message and after all that can
be wrong with the command line: help and errors come at once.

`fit`, `predict`, `forecast`, `evaluate`, `backtest`, `tune`, `detect`, `update`, `explain`,
`inspect`, `report`, `export`, `serve`, `runs`, `config`, `completion`, `help`, `demo`.
"""
