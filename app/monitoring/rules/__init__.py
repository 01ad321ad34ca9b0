"""Pure decisions of monitoring: bands, alerts, overall health, the bounds of a day."""
