"""Moving batches through devices: what is compiled, how tables are padded, what crosses the border and when."""
