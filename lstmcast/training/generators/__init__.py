"""What synthetic series are made of: read `draws`, then `components`, then any other.

Each generator draws n series of T steps that look like one kind of real data, and says which.
Knows no panel and no network; everything derives from the random generator that is handed in.

`draws`       random numbers for series that are drawn together, and filters with memory
`shapes`      forms of one season, from harmonics to pulses and opening hours
`clock`       days, weeks and years in steps; levels that differ between days
`components`  level, trend, seasons, cycles, noise and outliers, at random
`gaussian`    Gaussian processes with sums and products of kernels
`regimes`     switching levels, volatilities and memories; volatility that clusters
`energy`      electric loads, solar power, electricity prices
`counts`      intermittent demand, and calls within opening hours
`nature`      rivers, rain and temperatures
`web`         visits with bursts, and shifts of their level
`alterations` mixes, flips, shifts and modulations of drawn series
`finishing`   a user's scale; caps, few levels, whole numbers and missing values
"""
