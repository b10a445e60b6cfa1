"""OpenTelemetry: runs, steps and calls as spans, their figures as metrics, and the context they are carried on by."""
