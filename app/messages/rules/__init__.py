"""Decisions about messages, pure: phones, templates, quiet hours, what an answer means."""
