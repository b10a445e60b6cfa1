"""Learning from history: what failures have in common, what foretells them, and which repairs helped."""
