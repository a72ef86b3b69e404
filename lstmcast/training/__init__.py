"""How a forecaster is made: read `forecaster` first, then `loop`.

The only package that changes weights.

`forecaster`      from a panel to a trained forecaster
`recipes`         which networks are trained, and for how long
`members`         the members of the ensemble, trained side by side
`loop`            the one training loop
`schedule`        how long and how hard to train, and the pace of each step
`sampler`         random windows, batch by batch
`optimizers`      AdamW, Adam, SGD and RMSprop as functions over tensors
`device`          processor or GPU, and its precision
`checkpoint`      what an unfinished fit has learnt so far
`initial_weights` which weights training starts from
`generators`      what invented series are made of, a package
`synthetic`       invented series to pretrain on
`pretrain`        the first training of the shipped networks
"""
