"""A forecast from raw values as one torch module, which an ONNX file can hold.

`operations` operations along time that an ONNX graph can hold
`patterns`   slow patterns and track records in these operations
`features`   step features and candidates in these operations
`simple`     a simple method in them
`forecast`   the whole forecast
"""
