"""The network: how it is trained by torch, and how it forecasts in numpy without torch.

Knows arrays of windows, but no panel.

`trained`       shape and weights of a trained network as arrays
`generations`   networks of earlier versions, brought to the inputs of this one
`numpy_layers`  recurrent layers in numpy
`inference`     what several networks forecast together
`torch_network` the network that torch trains: an encoder, and a decoder for every horizon step
`encoders`      LSTM, GRU and RNN, stacked, both ways, with attention
`losses`        what the network puts out, what that costs, which quantiles it means
`diagnostics`   errors, likelihood and attention of trained networks
"""
