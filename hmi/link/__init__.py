"""The link between the collector and those who watch it: columnar frames one way, requests and replies the other."""
