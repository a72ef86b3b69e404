"""One file a command, named as the command is.

Each holds its options, its examples, and a function that calls the library once.

`fit`, `predict`, `forecast`, `evaluate`, `backtest`, `tune`, `detect`, `update`, `explain`,
`inspect`, `report`, `export`, `serve`, `runs`, `config`, `completion`, `help`.
"""
