"""The monitor: looks at tokens, networks and logins, repairs beforehand, and tells people of every change once."""
