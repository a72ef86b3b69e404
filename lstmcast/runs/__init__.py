"""A run on disk: written whole or not at all, and verified before it is used.

Knows bytes and hashes, not what a forecaster is.

`disk`          files that are whole or absent
`lock`          one process at a time writes at a place
`directory`     open a run and verify it
`publish`       put a run in its place, or its previous version back
`serialization` weights, JSON, history and context as bytes, and back
"""
