"""A run elsewhere: exported, served, or applied to a folder of files.

`onnx_graph` the whole forecast as one torch module
`export`     that module as an ONNX file, compared with the run
`serve`      forecasts over HTTP
`shards`     a folder of Parquet, file by file
"""
