"""What a Python user holds: a forecaster that takes frames of any kind and gives them back.

Adds no forecasting of its own: it reads data, calls the rooms below, and shows what they return.
Nothing but `lstmcast/__init__.py` and `adapters` imports it. In reading order: `forecaster` the
class that people use, `pictures` its pictures, `detection` judged rows with theirs, `base` how it
reads data and shows itself, `functions` the same for results, `watching` data without a forecaster,
`arguments` what is passed in, `tables` what is returned, `progress` a bar while it works,
`representation` how a forecaster looks in a notebook.
"""
