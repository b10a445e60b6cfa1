"""Running skills: the executor, the order of steps, and the broadcast of events."""
