"""How unusual a row is, judged online by what its own series did before; no network is needed.

`sorted_window` the newest numbers in sorted order
`rarity`        how rare a number is among those before it, beyond the largest of them, too
`measures`      what is measured of a row: change, level, mean, spread, range, shape
`interruptions` values that are stuck, and gaps between rows
`stream`        the measures combined into one score, and alarms gathered into events

A series is judged row by row in the order of its rows. It needs no regular steps, takes constant
time a row and bounded memory, and can be saved and gone on with.
"""
