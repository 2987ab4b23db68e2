"""How the reader's weights are made: data, model, loop, all from arguments and a seed."""
