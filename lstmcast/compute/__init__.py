"""Where work runs: parallel jobs, engines, the ranks of one large fit, memory and progress.

Knows nothing of series or networks: jobs are functions, and their results come in the order of the
jobs.

`system`    what differs from Linux to macOS to Windows, and what stands in where it lacks
`progress`  events that report how far long work has come
`interrupt` signals that wait until what has been trained is saved
`jobs`      independent jobs, several at a time, results in order
`engines`   what runs jobs: processes, threads, Dask or Ray
`ranks`     the ranks of a fit that torchrun started
`seeds`     seeds of members, folds, trials and files, derived from one seed
`memory`    how much memory is free, and whether a failure was due to too little of it
"""
