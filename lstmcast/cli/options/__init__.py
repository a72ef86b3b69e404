"""Options that several commands share, each declared once, in groups that are typed records.

A command takes a whole group as one parameter; `declare.spread_option_groups` turns the fields of
the group into options of the command. Ranges and defaults are those of `lstmcast.config`, which
also checks them.

`declare`   how an option is declared, and how a group is spread
`complete`  what a shell may offer for the value of an option
`columns`   the roles of columns, and further inputs of the network
`reading`   how a file is read
`fitting`   window, network and training; all settings of a fit
`detection` what counts as unusual, and which rows are shown
`synonyms`  what other tools call these options
`engine`    --backend: what runs the jobs
`results`   DATA and RUN, where results go, and what is printed beside them
"""
