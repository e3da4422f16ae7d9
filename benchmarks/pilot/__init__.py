"""A pilot study: very small language models, trained here, fitted with jaxscale, and the check of what it predicted.

`text` is what they read, `network` what they are, `training` how one is trained, `plan` which are, `ledger` where
their rows stand, `forecast` what the small ones say of the large ones. `python -m benchmarks.pilot --help` runs it.
"""
