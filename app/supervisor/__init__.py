"""Keep the hub's processes alive: the Procfile's lines and the embedded Redis, nothing more."""
