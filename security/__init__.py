"""`make security`: the threats with their tests, and ready-made scanners against a started hub."""
