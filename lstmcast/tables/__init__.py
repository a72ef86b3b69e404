"""From a file or a stream to a table of named columns, every cell as it was written.

Knows what a number looks like, but not which column is the time or the target.

`source`         bytes of a file, standard input or a pipe, unpacked as they are read
`csv_dialect`    delimiter, decimal mark and header of a text table
`csv_strict`     text to columns, every fault with its line
`csv_fast`       the same for large regular files; gives up at any doubt
`numbers`        numbers as people write them
`table`          the table, its columns as text, numbers, timestamps or codes
`number_columns` a column of text as numbers, or the error that says why not
`columnar`       Parquet and Arrow, one file or a folder
`sampling`       some series of a data set larger than memory, and when to take only some
`formats/`       workbooks, JSON, databases and addresses
`read`           the door: a path or a stream in, a table out
"""
