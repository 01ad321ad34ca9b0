"""Monitoring: SLA bands, alerts, health, the daily report; and the clock's housekeeping."""
