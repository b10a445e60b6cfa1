"""What a machine has to offer before anybody has written it down, and how what is written down is doing."""
