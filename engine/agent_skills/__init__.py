"""Agent Skills: skills of ours as folders other agents read, and theirs as skills of ours."""
