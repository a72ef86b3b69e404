"""A run on disk: written whole or not at all, and verified before it is used.

Knows bytes, hashes and the fields of files, not what a forecaster is.

`disk`          files that are whole or absent
`lock`          one process at a time writes at a place
`schema`        values of JSON by the types that they should have
`directory`     open a run and verify it
`contents`      what the files of a trained run hold, field by field
`publish`       put a run in its place, or its previous version back
`serialization` weights, JSON, history and context as bytes, and back
"""
