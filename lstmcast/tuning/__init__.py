"""A search of settings, judged on windows that the search never saw.

`space`  which settings may change, and to what
`study`  what was tried and what to try next, kept by Optuna
`trials` the trials, window by window
`gain`   what the best trial saves on the unseen windows
`outcome` what a search found
`tune`   the search from start to end
"""
