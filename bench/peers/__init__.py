"""What users would pick instead: one job per delivery, with the same state in the same database."""
