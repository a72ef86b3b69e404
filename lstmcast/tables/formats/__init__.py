"""Formats that are neither text nor Arrow: each to Arrow columns, by a kept library.

`columns`    values of Python, row by row, as typed columns
`workbooks`  sheets of .xlsx, .xls and .ods
`json_rows`  JSON and JSON lines
`databases`  tables of SQLite and DuckDB files
`remote`     paths such as https:// and s3://

None knows what a column means. Each checks how much it would unpack before or while it does.
"""
