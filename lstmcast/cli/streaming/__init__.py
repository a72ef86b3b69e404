"""Rows on stdin, judged as they come: a line out for each line in, in a fixed amount of memory.

`lines`    whole lines out of a stream, as they arrive
`follower` lines judged together or each by itself, and what is bad in one of them
`watch`    without a run, each series by its own past

By the forecasts of a run they are judged in `cli/follow.py`.
"""
