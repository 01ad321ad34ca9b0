"""Doors of access: signing in, the own profile, people, API keys, the audit trail."""
