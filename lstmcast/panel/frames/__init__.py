"""Frames at the library's door: data of any kind to a table, a panel and a forecast back.

Knows pandas, and other kinds of frame through narwhals; knows no files. In reading order:
`known_names` roles that columns have by their names, `accept` any kind of data as a table, `native`
a result in the caller's kind of frame, `description` a panel as a frame, a line and a page of text.
"""
