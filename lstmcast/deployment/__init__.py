"""A run elsewhere: exported, served, or applied to a folder of files.

`graph`          the whole forecast as one torch module
`export`         that module as an ONNX file, compared with the run
`serve`          forecasts over HTTP
`serve_server`   where they are listened for, and how a signal ends it
`serve_runs`     the runs that answer, by name
`serve_access`   who may ask, and which version of a run answers
`serve_requests` what a request asks for: parsed, or refused
`shard_list`     the files of a data set, here or behind an address
`shards`         a folder of Parquet, file by file
"""
