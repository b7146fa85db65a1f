"""Be told when a run is done, or died. Nothing is imported before it is used, so that importing this costs nothing."""
