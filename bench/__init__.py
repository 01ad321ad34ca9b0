"""The bench: the hub as deployed against what people would pick instead, in the same run."""
