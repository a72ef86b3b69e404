"""Seasons of any length: which ones the values show, and what is remembered of them.

`periods`     which periods series show, of any length
`seasonality` which of them are seasons of a panel; the default horizon
`long_memory` patterns of all cycles of up to three seasons, and how well they foretold the past
"""
