"""Pre-flight: what a run and a call stand on is looked at before anything is touched."""
