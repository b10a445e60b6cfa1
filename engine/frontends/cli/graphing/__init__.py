"""The pictures of a graph: a tree for terminals, Mermaid, DOT and SVG; pure functions from a graph to text."""
