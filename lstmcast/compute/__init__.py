"""Where work runs: jobs side by side, engines, ranks of one large fit, memory and progress.

Knows nothing of series or networks: jobs are functions, and what they return is in the order of the
jobs.

`progress`  events that say how far long work has come
`interrupt` signals that wait until what was learnt is saved
`jobs`      independent jobs, several at a time, results in order
`engines`   who does jobs: processes, threads, Dask or Ray
`ranks`     the ranks of a fit that torchrun started
`seeds`     seeds of members, folds, trials and files, derived from one seed
`memory`    how much memory is free, and whether a failure was for want of it
"""
