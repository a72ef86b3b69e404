"""lstmcast as a part of other libraries, in the form that each of them asks for.

Each file needs the library that it is for, which is an extra; nothing here is imported by the rest.

`sktime` a forecaster for sktime's pipelines, searches and evaluations
"""
