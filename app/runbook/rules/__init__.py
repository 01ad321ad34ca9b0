"""Pure decisions of the runbook."""
